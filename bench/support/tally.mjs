/** The counts per fault; an event counts for a fault until the next one begins. */
const none = {
  times: 0,
  requests: 0,
  sessions: 0,
  lost: 0,
  lostAvoidably: 0,
  resumed: 0,
  pages5xx: 0,
  tokens503: 0,
  other5xx: 0,
  unanswered: 0,
  lostAnswers: 0,
  signInFailed: 0,
  signOuts: 0,
  signOutRefused: 0,
  signOutUnanswered: 0,
};

export class Tally {
  /** @type {Map<string, typeof none>} */
  faults = new Map();
  /** the sign-outs to check */
  signedOut = [];
  /** the unexpected events as text */
  notes = [];
  fault = 'nothing yet';

  /** @param {(text: string) => void} say */
  constructor(say) {
    this.say = say;
  }

  begin(fault) {
    this.fault = fault;
    this.count('times');
  }

  /** @param {keyof typeof none} what */
  count(what) {
    const counts = this.faults.get(this.fault) ?? { ...none };
    this.faults.set(this.fault, counts);
    counts[what]++;
  }

  answered(path, status) {
    if (status < 500) return;
    const needsToken = path === '/auth/userinfo';
    this.count(
      needsToken && status === 503 ? 'tokens503' : path.startsWith('/auth/') ? 'other5xx' : 'pages5xx',
    );
  }

  note(text) {
    this.notes.push(text);
    this.say(text);
  }

  /** @returns {typeof none} */
  total() {
    const sum = { ...none };
    for (const counts of this.faults.values())
      for (const name of Object.keys(none)) sum[name] += counts[name];
    return sum;
  }
}
