import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  type MissingModule,
  missingModuleOf,
  resolvePuppet,
} from '../../src/bots/wechat/wechat-puppet.js';
import { createWechatSession } from '../../src/bots/wechat/wechat-session.js';
import { keepingLogger } from '../support/quiet.js';
import { until } from '../support/until.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'huancai-puppet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a puppet that cannot be loaded says what is missing, how to mend it, and is tried ever more seldom', async () => {
  const puppet = path.join(folder, 'puppet.js');
  writeFileSync(puppet, `require('@some/missing-part/deep');`);
  const log = keepingLogger();
  const missing: MissingModule[] = [];
  const session = createWechatSession(log, {
    ...{ puppet: resolvePuppet({ puppet, folder }), memory: path.join(folder, 'session'), folder },
    ...{ graceMs: 20, reconnectMs: 10, notLoaded: (one: MissingModule) => missing.push(one) },
  });
  const nothing = () => {};
  const events = { message: nothing, friendship: nothing, scan: nothing, login: nothing };
  session.start({ ...events, logout: nothing });
  await until(() => log.lines.filter(({ event }) => event === 'wechat.reconnecting').length > 3);
  await session.stop();
  const mend = `npm install --prefix ${folder} @some/missing-part`;
  expect(missing[0]).toEqual({ module: '@some/missing-part', mend });
  const said = log.lines.filter(({ event }) => event === 'wechat.puppetNotLoaded');
  expect(said[0]?.fields).toMatchObject({ fault: 'module not found', mend });
  const pauses = log.lines
    .filter(({ event }) => event === 'wechat.reconnecting')
    .map(({ fields }) => (fields as { inMs: number }).inMs);
  expect(pauses.slice(0, 4)).toEqual([10, 20, 40, 80]);
});

test('other faults keep their words to themselves', () => {
  expect(missingModuleOf(new Error('wxid_private said: no'), folder)).toBeUndefined();
  expect(missingModuleOf(undefined, folder)).toBeUndefined();
});
