import { idFor } from '../storage/ids.js';
import { rsaKeySync } from './rsa-keys.js';

/** The key JSON of an application as Zitadel's console downloads it. `key` is PKCS#1 PEM. */
export interface ApplicationKeyFile {
  type: 'application';
  keyId: string;
  key: string;
  appId: string;
  clientId: string;
}

/** The key JSON of a service user as Zitadel's console downloads it. `key` is PKCS#1 PEM. */
export interface ServiceUserKeyFile {
  type: 'serviceaccount';
  keyId: string;
  key: string;
  expirationDate: string;
  userId: string;
}

function pkcs1Pem(owner: string): string {
  return rsaKeySync(owner).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function keyIdOf(owner: string): string {
  return idFor(`key ${owner}`);
}

export function applicationKeyFile(clientId: string, appId: string): ApplicationKeyFile {
  return { type: 'application', keyId: keyIdOf(clientId), key: pkcs1Pem(clientId), appId, clientId };
}

export function serviceUserKeyFile(userId: string): ServiceUserKeyFile {
  return {
    type: 'serviceaccount',
    keyId: keyIdOf(userId),
    key: pkcs1Pem(userId),
    expirationDate: '9999-12-31T23:59:59Z',
    userId,
  };
}
