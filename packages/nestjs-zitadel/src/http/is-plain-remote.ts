/** Whether a request to `url` leaves this machine unencrypted: `http:` to another host than loopback. */
export const isPlainRemote = ({ protocol, hostname }: URL): boolean =>
  protocol !== 'https:' &&
  hostname !== 'localhost' &&
  hostname !== '[::1]' &&
  !/^127(\.\d{1,3}){3}$/.test(hostname) &&
  !hostname.endsWith('.localhost');
