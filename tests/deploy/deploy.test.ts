import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { allSettings } from '../../src/cli/config.js';
import { packageRoot } from '../../src/cli/package-root.js';
import { runCli } from '../support/cli.js';

jest.setTimeout(180_000);

/** Docker and systemd are not run here: their files are read, and what they start is asked for help. */
const docker = path.join(packageRoot, 'docker');
const read = (...names: string[]) => readFileSync(path.join(packageRoot, ...names), 'utf8');

interface Service {
  image?: string;
  build?: { context?: string; dockerfile?: string; target?: string };
  command?: string[];
  ports?: string[];
  volumes?: string[];
  secrets?: string[];
  environment?: Record<string, string>;
  env_file?: { path: string; required: boolean }[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  cap_drop?: string[];
  read_only?: boolean;
  stop_grace_period?: string;
}
interface Compose {
  services: Record<string, Service>;
  volumes?: Record<string, null>;
  secrets?: Record<string, object>;
}

const composeFiles = readdirSync(docker).filter((name) => /^compose.*\.yaml$/.test(name));
const composes = composeFiles.map(
  (name) => [name, parse(read('docker', name), { merge: true }) as Compose] as const,
);
/** Ours: built from our Dockerfile. */
const ours = composes.flatMap(([file, { services }]) =>
  Object.entries(services)
    .filter(([, { build }]) => build)
    .map(([name, service]) => ({ file, name, service })),
);

async function startsSomething(command: readonly string[]): Promise<void> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-deploy-'));
  try {
    const { code, out } = await runCli([...command, '--help'], { cwd: dir });
    expect({ command, code }).toEqual({ command, code: 0 });
    expect(out).toContain(`huancai ${command[0]}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test('compose files for one box, a card, a fleet and a worker elsewhere', () => {
  expect(composeFiles.sort()).toEqual([
    ...['compose.fleet.yaml', 'compose.nvidia.yaml', 'compose.worker.yaml', 'compose.yaml'],
  ]);
});

test.each(composes)('%s names only what it has, and no image that moves', (_name, compose) => {
  for (const [name, service] of Object.entries(compose.services)) {
    for (const needed of Object.keys(service.depends_on ?? {})) {
      expect(compose.services).toHaveProperty(needed);
      const { condition } = service.depends_on![needed]!;
      if (condition === 'service_healthy')
        expect(compose.services[needed]!.healthcheck).toBeDefined();
    }
    for (const volume of service.volumes ?? []) {
      const source = volume.split(':')[0]!;
      if (source.startsWith('.')) read('docker', source);
      else expect(Object.keys(compose.volumes ?? {})).toContain(source);
    }
    for (const secret of service.secrets ?? [])
      expect(Object.keys(compose.secrets ?? {})).toContain(secret);
    if (!service.build) expect(service.image).toMatch(/:[\w.-]*\d/);
    // Nothing is open to the network unless the operator writes it so.
    for (const port of service.ports ?? [])
      expect(port).toMatch(/^(127\.0\.0\.1|\$\{LAN_ADDRESS:-127\.0\.0\.1\}):\d+:\d+$/);
    expect(name).toMatch(/^[a-z]+$/);
  }
});

test('every setting they give us exists', () => {
  const known = new Set(allSettings().flatMap(({ env }) => [env, `${env}_FILE`]));
  const given = ours.flatMap(({ service }) => Object.keys(service.environment ?? {}));
  expect(given.length).toBeGreaterThan(10);
  expect(given.filter((name) => !known.has(name))).toEqual([]);
  for (const name of ['PUBLIC_URL', 'REDIS_URL', 'S3_ENDPOINT', 'METRICS_TOKEN'])
    expect(read('docker', '.env.example')).toContain(`${name}=`);
});

test('what they start are our commands, with time to finish', async () => {
  const commands = new Map<string, string[]>();
  for (const { service } of ours) {
    if (service.command) commands.set(service.command.join(' '), service.command);
    if (!service.command) continue;
    expect(service.stop_grace_period).toBe('40s');
    expect(service).toMatchObject({ cap_drop: ['ALL'], read_only: true });
  }
  expect([...commands.keys()].sort()).toEqual(['serve', 'worker']);
  for (const command of commands.values()) await startsSomething(command);
});

test('a worker is given no database, no bot tokens, no payment keys', () => {
  const workers = ours.filter(({ service }) => service.command?.[0] === 'worker');
  expect(workers).toHaveLength(2);
  for (const { service } of workers)
    expect(Object.keys(service.environment ?? {}).join(' ')).not.toMatch(
      /DATABASE|TELEGRAM|WECHAT|ALIPAY|POSTGRES|PUBLIC_URL/,
    );
});

test('Redis keeps what it is given', () => {
  const [, fleet] = composes.find(([name]) => name === 'compose.fleet.yaml')!;
  const command = fleet.services['redis']!.command!.join(' ');
  expect(command).toContain('--appendonly yes');
  expect(command).toContain('--maxmemory-policy noeviction');
});

test('workers elsewhere find what the fleet opens to them, and the same bucket', () => {
  const named = (name: string) => composes.find(([file]) => file === name)![1].services;
  const [there, here] = [named('compose.fleet.yaml'), named('compose.worker.yaml')];
  const example = read('docker', '.env.example');
  for (const [service, name] of [
    ['redis', 'REDIS_URL'],
    ['minio', 'S3_ENDPOINT'],
  ] as const) {
    const [, outside] = /\}:(\d+):\d+$/.exec(there[service]!.ports![0]!)!;
    expect(new URL(new RegExp(`^${name}=(.+)$`, 'm').exec(example)![1]!).port).toBe(outside);
  }
  for (const name of ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_PATH_STYLE'])
    expect(here['worker']!.environment![name]).toBe(there['worker']!.environment![name]);
  // The keys that only the studio needs are in a file that only it reads.
  const readers = ours.filter(({ service }) => service.env_file).map(({ name }) => name);
  expect(readers).toEqual(['studio', 'studio']);
  for (const ignored of ['.gitignore', '.dockerignore'])
    expect(read(ignored)).toContain('docker/studio.env');
});

test("the studio's pg_dump is as new as the fleet's PostgreSQL", () => {
  const [, { services }] = composes.find(([name]) => name === 'compose.fleet.yaml')!;
  // Debian 12 has PostgreSQL 15.
  expect(read('docker', 'Dockerfile')).toMatch(
    /FROM node:22-bookworm-slim AS cpu\nRUN .*\bpostgresql-client\b/,
  );
  expect(services['postgres']!.image).toBe('postgres:15-bookworm');
});

test('Prometheus asks services that are there, with the token it is given', () => {
  const [, { services, secrets }] = composes.find(([name]) => name === 'compose.fleet.yaml')!;
  const { scrape_configs } = parse(read('config', 'monitoring', 'prometheus.yaml')) as {
    scrape_configs: {
      authorization: { credentials_file: string };
      static_configs?: { targets: string[] }[];
      dns_sd_configs?: { names: string[]; type: string; port: number }[];
    }[];
  };
  for (const { authorization, static_configs = [], dns_sd_configs = [] } of scrape_configs) {
    const secret = path.posix.basename(authorization.credentials_file);
    expect(authorization.credentials_file).toBe(`/run/secrets/${secret}`);
    expect(services['prometheus']!.secrets).toContain(secret);
    expect(secrets).toHaveProperty(secret, { environment: 'METRICS_TOKEN' });
    const targets = [
      ...static_configs.flatMap((one) => one.targets),
      ...dns_sd_configs.flatMap((one) => one.names.map((name) => `${name}:${one.port}`)),
    ];
    expect(targets).toHaveLength(1);
    for (const target of targets) {
      const [name, port] = target.split(':') as [string, string];
      const { METRICS_PORT = '8080', METRICS_TOKEN } = services[name]!.environment!;
      expect(port).toBe(METRICS_PORT);
      expect(METRICS_TOKEN).toContain('METRICS_TOKEN:?');
    }
  }
});

test('the images copy what exists, run as a user of their own and start our command', async () => {
  const lines = read('docker', 'Dockerfile')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line && !line.startsWith('#'));
  const stages = new Map<string, string[]>();
  let stage = '';
  for (const line of lines) {
    const from = /^FROM (\S+) AS (\S+)$/.exec(line);
    if (from) {
      stage = from[2]!;
      expect(stages.has(from[1]!) || /:[\w.-]*\d/.test(from[1]!)).toBe(true);
    }
    expect(line).toMatch(
      /^(FROM|WORKDIR|COPY|RUN|ENV|USER|VOLUME|EXPOSE|STOPSIGNAL|ENTRYPOINT|CMD) /,
    );
    stages.set(stage, [...(stages.get(stage) ?? []), line]);
  }
  const targets = new Set(ours.map(({ service }) => service.build!.target!));
  expect([...targets].sort()).toEqual(['cpu', 'nvidia']);
  // Without a target the last stage is built.
  expect(stage).toBe('cpu');
  for (const target of targets) {
    const text = stages.get(target)!;
    const json = (word: string) =>
      JSON.parse(text.find((line) => line.startsWith(word))!.slice(word.length)) as string[];
    const entry = json('ENTRYPOINT ');
    expect(entry.slice(-2)).toEqual(['node', '/app/dist/cli/main.js']);
    await startsSomething(json('CMD '));
    expect(text.filter((line) => line.startsWith('USER '))).toEqual(['USER huancai']);
  }
  // The same Node as the package asks for.
  expect(read('docker', 'Dockerfile')).toContain('FROM node:22-bookworm-slim');
  const ignored = read('.dockerignore').split('\n');
  for (const needed of [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'config',
    'models',
    'assets',
  ])
    expect(ignored).not.toContain(needed);
  for (const secret of ['.env', 'docker/.env', 'config/local.yaml'])
    expect(ignored).toContain(secret);
});

test('docker compose, where its plugin is, takes the files', () => {
  if (spawnSync('docker', ['compose', 'version']).status !== 0) return;
  const passwords = [
    'POSTGRES_PASSWORD',
    'REDIS_PASSWORD',
    'S3_SECRET_ACCESS_KEY',
    'METRICS_TOKEN',
  ];
  const env = {
    PATH: process.env.PATH,
    ...Object.fromEntries(passwords.map((name) => [name, 'x'.repeat(32)])),
    ...{ REDIS_URL: 'redis://r', S3_ENDPOINT: 'http://m' },
  };
  for (const files of [
    ['compose.yaml'],
    ['compose.yaml', 'compose.nvidia.yaml'],
    ['compose.fleet.yaml'],
    ['compose.worker.yaml'],
  ]) {
    const named = files.flatMap((file) => ['-f', path.join(docker, file)]);
    const { status, stderr } = spawnSync('docker', ['compose', ...named, 'config', '--quiet'], {
      env,
    });
    expect({ files, status, stderr: String(stderr) }).toMatchObject({ status: 0 });
  }
});

test.each(['huancai', 'huancai-worker'])(
  'the unit %s starts our command, shut in',
  async (unit) => {
    const text = read('systemd', `${unit}.service`);
    const [, command] =
      /^ExecStart=\/usr\/bin\/node \/opt\/huancai\/dist\/cli\/main\.js (.+)$/m.exec(
        text,
      ) as unknown as [string, string];
    await startsSomething(command.split(' '));
    for (const line of ['NoNewPrivileges=yes', 'ProtectSystem=strict', 'DynamicUser=yes'])
      expect(text).toContain(line);
    const [, state] = /^StateDirectory=(.+)$/m.exec(text)!;
    expect(text).toContain(`HUANCAI_DATA_DIR=/var/lib/${state}`);
    // systemd itself, where it is installed, with this machine's Node in the place of the target's.
    const dir = mkdtempSync(path.join(os.tmpdir(), 'huancai-unit-'));
    try {
      const file = path.join(dir, `${unit}.service`);
      writeFileSync(file, text.replace('ExecStart=/usr/bin/node', `ExecStart=${process.execPath}`));
      const checked = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
        encoding: 'utf8',
      });
      if ((checked.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return;
      const said = checked.stderr.split('\n').filter((line) => line.includes(unit));
      expect(said).toEqual([]);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
);
