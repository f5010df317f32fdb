import type { Application } from './clients.js';
import type { Realm } from './realm.js';

/** Which login UI people are sent to: the instance's feature "Login V2" comes before the application's setting. */
export function loginVersionOf(realm: Realm, application: Application | undefined): 1 | 2 {
  return realm.features.loginV2Required ? 2 : (application?.loginVersion ?? 2);
}
