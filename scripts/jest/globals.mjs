// `@jest/globals` of the test file that runs. Modules that the tests of one worker share import it once.
const current = (name) => globalThis[Symbol.for('jest globals')][name];

const delegate = (name) =>
  new Proxy(() => {}, {
    apply: (_target, _self, values) => current(name)(...values),
    get: (_target, key) => Reflect.get(current(name), key),
  });

export const afterAll = delegate('afterAll');
export const afterEach = delegate('afterEach');
export const beforeAll = delegate('beforeAll');
export const beforeEach = delegate('beforeEach');
export const describe = delegate('describe');
export const expect = delegate('expect');
export const it = delegate('it');
export const jest = delegate('jest');
