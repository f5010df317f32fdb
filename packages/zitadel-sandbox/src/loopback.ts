const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/** True for an address of this machine. */
export function isThisMachine(uri: string): boolean {
  return URL.canParse(uri) && loopbackHosts.includes(new URL(uri).hostname);
}
