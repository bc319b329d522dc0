import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { operatorContract } from '../contracts/operator.js';

const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-operator-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

operatorContract(
  async () => ({}),
  async () => ({ file: path.join(dir, 'old.db') }),
);
