// Test files run in the context of the worker, Jest itself in one of its own: both have to know the same `Error`, `String` and clock.
import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import { ModernFakeTimers } from '@jest/fake-timers';
import { TestEnvironment } from 'jest-environment-node';

const constructors = Object.getOwnPropertyNames(globalThis).filter(
  (name) => /^[A-Z]/.test(name) && typeof globalThis[name] === 'function',
);

// Jest and some servers make a storage for each file. Before Node.js 24 each one that is enabled costs time at every promise.
const storages = new Set();
const { _enable: enable } = AsyncLocalStorage.prototype;
if (enable)
  AsyncLocalStorage.prototype._enable = function () {
    storages.add(this);
    enable.call(this);
  };

export default class NativeEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of constructors) this.global[name] = globalThis[name];
    this.fakeTimersModern = new ModernFakeTimers({ config: config.projectConfig, global: globalThis });
    this.variables = { ...process.env };
  }

  async teardown() {
    for (const name of Object.keys(process.env)) if (!(name in this.variables)) delete process.env[name];
    Object.assign(process.env, this.variables);
    for (const storage of storages) storage.disable();
    storages.clear();
    await super.teardown();
  }
}
