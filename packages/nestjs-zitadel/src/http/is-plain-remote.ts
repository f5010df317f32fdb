/** Whether what is sent to `url` leaves this machine readable: `http:` to anything but loopback. */
export const isPlainRemote = ({ protocol, hostname }: URL): boolean =>
  protocol !== 'https:' &&
  hostname !== 'localhost' &&
  hostname !== '[::1]' &&
  !/^127(\.\d{1,3}){3}$/.test(hostname) &&
  !hostname.endsWith('.localhost');
