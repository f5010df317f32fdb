import { randomBytes, randomInt } from 'node:crypto';
import { BoundedMap } from '../storage/bounded-map.js';
import { nowSeconds } from '../storage/now.js';
import type { Session } from '../storage/provider.js';

const letters = 'BCDFGHJKLMNPQRSTVWXZ';
const lettersPerGroup = 4;
const deviceCodeBytes = 16;
const maxEntries = 10_000;

/** A device authorization request (RFC 8628). */
export interface DeviceRequest {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly clientId: string;
  readonly scopes: string[];
  expiresAt: number;
  state: 'pending' | 'denied' | 'used' | { allowedIn: Session };
}

/** Device authorization requests by device code and by user code. */
export class DeviceRequests {
  static readonly lifetimeSeconds = 300;
  private readonly byDeviceCode = new BoundedMap<string, DeviceRequest>(maxEntries);
  private readonly byUserCode = new BoundedMap<string, DeviceRequest>(maxEntries);

  add(clientId: string, scopes: string[]): DeviceRequest {
    const request: DeviceRequest = {
      deviceCode: randomBytes(deviceCodeBytes).toString('base64url'),
      userCode: `${randomLetters()}-${randomLetters()}`,
      clientId,
      scopes,
      expiresAt: nowSeconds() + DeviceRequests.lifetimeSeconds,
      state: 'pending',
    };
    this.byDeviceCode.set(request.deviceCode, request);
    this.byUserCode.set(request.userCode, request);
    return request;
  }

  find(deviceCode: string): DeviceRequest | undefined {
    return this.byDeviceCode.get(deviceCode);
  }

  /** The pending request of that user code, which is case-sensitive. */
  findPending(userCode: string | undefined): DeviceRequest | undefined {
    const request = this.byUserCode.get(userCode ?? '');
    return request?.state === 'pending' && request.expiresAt > nowSeconds() ? request : undefined;
  }

  /** Expires all requests. */
  expire(): void {
    for (const request of this.byDeviceCode.values()) request.expiresAt = 0;
  }
}

function randomLetters(): string {
  return Array.from({ length: lettersPerGroup }, () => letters.charAt(randomInt(letters.length))).join('');
}
