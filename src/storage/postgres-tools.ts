import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DatabaseAway, DiskUnavailable, systemCodeOf } from '../studio/errors/index.js';

const run = promisify(execFile);
const systemPath = '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin';

/**
 * One of PostgreSQL's own programs, on the database of this address. The address goes through the
 * environment: arguments can be read by every user of the box.
 * @throws {DiskUnavailable} the program is missing. @throws {DatabaseAway} with what it said.
 */
export async function runPostgresTool(
  program: 'pg_dump' | 'pg_restore',
  args: readonly string[],
  url: string,
): Promise<void> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const env = {
    PATH: systemPath,
    PGHOST: hostname,
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGSSLMODE: searchParams.get('sslmode') ?? 'prefer',
  };
  try {
    await run(program, [...args], { env });
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') {
      const advice = `${program} is missing: install postgresql-client`;
      throw new DiskUnavailable('backup', advice, error);
    }
    const { stderr = '' } = error as { stderr?: string };
    throw new DatabaseAway(new Error(stderr.slice(0, 500)));
  }
}
