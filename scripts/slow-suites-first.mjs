import Sequencer from '@jest/test-sequencer';

/** Suites that wait for a browser, for other programs or for timeouts. */
const slow =
  /\/test\/(browser|instances|state|(stop|deploy|dev|readme|recipes)\.spec|hostile\/(metadata|refresh)\.spec)/;

/** Begins with the slow suites, so that none of them runs alone at the end; the others as Jest orders them. */
export default class SlowSuitesFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => slow.test(b.path) - slow.test(a.path));
  }
}
