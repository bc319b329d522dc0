import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface RsaPair {
  readonly privatePkcs1: string;
  readonly privatePkcs8: string;
  readonly public: string;
}

export function rsaPair(): RsaPair {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    privatePkcs1: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    privatePkcs8: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    public: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

export interface Certified extends RsaPair {
  readonly certificate: string;
  /** Upper-case hex, as providers print it. */
  readonly serial: string;
}

/** A self-signed certificate over a fresh key, made by the machine's openssl. */
export function certified(commonName: string, days = 30): Certified {
  const pair = rsaPair();
  const dir = mkdtempSync(path.join(tmpdir(), 'huancai-keys-'));
  try {
    const key = path.join(dir, 'key.pem');
    const out = path.join(dir, 'cert.pem');
    writeFileSync(key, pair.privatePkcs8, { mode: 0o600 });
    const serial = `0x4${randomBytes(19).toString('hex').slice(1)}`;
    const args = ['req', '-x509', '-new', '-sha256', '-key', key, '-out', out];
    execFileSync(
      'openssl',
      [...args, '-days', String(days), '-subj', `/CN=${commonName}`, '-set_serial', serial],
      { stdio: 'pipe' },
    );
    const certificate = readFileSync(out, 'utf8');
    return {
      ...pair,
      certificate,
      serial: new X509Certificate(certificate).serialNumber.toUpperCase(),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
