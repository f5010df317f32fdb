import { expect } from '@jest/globals';
import type { RunningProgram } from './run-program.js';

interface Shown {
  address: string;
  code: string;
}

/** The address and the code that `npm run token` shows. */
export async function shownBy(command: RunningProgram): Promise<Shown> {
  await command.says(/code [A-Z]{4}-[A-Z]{4}/, 60_000);
  const [, address = '', code = ''] = /Open (\S+)\n.*code (\S+)\./.exec(command.output()) ?? [];
  return { address, code };
}

/**
 * Answers for the person in a sandbox, whose address for the device leads to the sign-in of Login V1. The answer is sent to the
 * page of Login V2, which asks for no sign-in, and where a denial counts.
 */
export async function answerDevice({ address, code }: Shown, action: 'allowed' | 'denied'): Promise<void> {
  const page = await fetch(address);
  expect(await page.text()).toMatch(/Or sign in to “.+” with one click/);
  const body = new URLSearchParams({ user_code: code, action, loginName: 'alice@acme.example' });
  const answer = await fetch(new URL('/ui/v2/login/device', page.url), { method: 'POST', body });
  expect(answer.status).toBe(200);
}
