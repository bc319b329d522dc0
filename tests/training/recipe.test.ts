import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { packageRoot } from '../../src/cli/package-root.js';

/**
 * The starter model's whole recipe on drawn pictures, with Debian's own Python, which has the
 * packages; without them it fails and says so.
 */
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
const run = promisify(execFile);

test('photographs are prepared, trained on, measured, exported and restored', async () => {
  const packages = 'python3-torch python3-opencv python3-numpy python3-onnx';
  await run(python, ['-c', 'import torch, cv2, numpy, onnx']).catch((cause: unknown) => {
    throw new Error(`install first: apt-get install --yes ${packages}`, { cause });
  });
  const quiet = { OMP_WAIT_POLICY: 'passive', GOMP_SPINCOUNT: '0', PYTHONDONTWRITEBYTECODE: '1' };
  const { stderr } = await run(python, ['-m', 'unittest', 'discover', '-s', 'training/tests'], {
    cwd: packageRoot,
    env: { ...process.env, ...quiet },
  });
  expect(stderr).toMatch(/Ran \d{2} tests[\s\S]*\nOK/);
}, 900_000);
