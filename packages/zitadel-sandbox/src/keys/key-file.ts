import { idFor, newId } from '../storage/ids.js';
import { rsaKey, rsaKeySync } from './rsa-keys.js';

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

/** A key that the management API made, for an application or a service user. */
export interface AddedKey<File = ApplicationKeyFile | ServiceUserKeyFile> {
  file: File;
  expirationDate: Date;
}

/** The keys of an owner that have not expired. */
export function validKeysOf<File extends { keyId: string }>(owner: {
  key?: File;
  addedKeys?: AddedKey<File>[];
}): File[] {
  const added = (owner.addedKeys ?? []).filter(({ expirationDate }) => expirationDate.getTime() > Date.now());
  return [...(owner.key ? [owner.key] : []), ...added.map(({ file }) => file)];
}

function pkcs1Pem(owner: string): string {
  return rsaKeySync(owner).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

function keyIdOf(owner: string): string {
  return idFor(`key ${owner}`);
}

/** A new key for that owner, generated in a background thread. */
export async function newKey(): Promise<{ keyId: string; key: string }> {
  const keyId = newId();
  await rsaKey(keyId);
  return { keyId, key: pkcs1Pem(keyId) };
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
