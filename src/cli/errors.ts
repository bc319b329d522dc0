import { WorkflowInvalid } from '../inference/workflow/errors.js';
import { codeOf, StudioError } from '../studio/errors/base.js';
import { PhotoUnreadable } from '../studio/errors/photo.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import type { Translate } from './messages.js';
import { serverFaultOf } from './server-faults.js';

/** The command was used wrongly: exit code 2. */
export class WrongUse extends StudioError {
  /** @param messageKey for callers that cannot translate the detail themselves. */
  constructor(
    detail: string,
    messageKey = 'cli.wrongUse',
    params: Readonly<Record<string, string>> = { detail },
  ) {
    super('WRONG_USE', messageKey, 'never', detail, { params });
  }
}

/** Settings that cannot be used, all of them listed. */
export class ConfigFaulty extends StudioError {
  constructor(readonly faults: readonly string[]) {
    const list = faults.map((fault) => `  ${fault}`).join('\n');
    super('CONFIG_FAULTY', 'cli.configFaulty', 'never', `settings cannot be used:\n${list}`, {
      params: { list },
    });
  }
}

/** A photo that was named is not there. */
export class PhotoNotFound extends StudioError {
  constructor(readonly file: string) {
    super('PHOTO_NOT_FOUND', 'cli.noSuchFile', 'never', `there is no file ${file}`);
  }
}

/** A folder that should be searched cannot be opened. */
export class FolderLocked extends StudioError {
  constructor(
    readonly folder: string,
    cause: NodeJS.ErrnoException,
  ) {
    const reason = ['EACCES', 'EPERM'].includes(cause.code ?? '') ? 'forbidden' : 'fault';
    const code = cause.code ?? cause.message;
    super('FOLDER_LOCKED', `cli.folderLocked.${reason}`, 'never', `${folder}: ${code}`, {
      cause,
      params: { folder, code },
    });
  }
}

/** A result would replace a file that is already there. */
export class OutputExists extends StudioError {
  constructor(readonly file: string) {
    super('OUTPUT_EXISTS', 'cli.outputExists', 'never', `${file} exists`, { params: { file } });
  }
}

/** What should be a backup cannot be used. */
export class BackupUnreadable extends StudioError {
  /** @param reason `noArchive`, `damaged`, `newer`, or a system code such as ENOENT. */
  constructor(
    readonly file: string,
    reason: string,
    cause?: unknown,
  ) {
    const known = ['noArchive', 'damaged', 'newer'].includes(reason) ? reason : 'away';
    super('BACKUP_UNREADABLE', `cli.backup.${known}`, 'never', `${file}: ${reason}`, {
      ...{ params: { file, reason }, cause },
    });
  }
}

/** A backup goes into an empty place only. */
export class RestoreRefused extends StudioError {
  /** @param reason `used`: there is a database; `otherDatabase`: SQLite into PostgreSQL or back. */
  constructor(reason: 'used' | 'otherDatabase', where: string) {
    super('RESTORE_REFUSED', `cli.restore.${reason}`, 'never', `${reason}: ${where}`, {
      params: { where },
    });
  }
}

/** The result would be written over the photo itself. */
export class OutputIsInput extends StudioError {
  constructor(readonly file: string) {
    super('OUTPUT_IS_INPUT', 'cli.outputIsInput', 'never', `${file} is the photo itself`, {
      params: { file },
    });
  }
}

/** `--strict` and a file that is not whole. */
export class PhotoDamaged extends StudioError {
  /** @param percent of the rows that are missing. */
  constructor(readonly percent: number) {
    super('PHOTO_DAMAGED', 'cli.strict', 'never', `damaged, ${percent} % missing`, {
      params: { percent },
    });
  }
}

/** The photo carries our own label: colouring it again would only add errors. */
export class AlreadyColoured extends StudioError {
  constructor(readonly file: string) {
    super('ALREADY_COLOURED', 'cli.alreadyColoured', 'never', `${file} is already coloured`, {
      params: { file },
    });
  }
}

/** `--fleet` without what a fleet needs; the message says what to set or start. */
export class FleetUnusable extends StudioError {
  constructor(
    reason: 'noRedis' | 'noBlobs' | 'redisAway' | 'noWorker',
    params: Readonly<Record<string, string>> = {},
    cause?: unknown,
  ) {
    super('FLEET_UNUSABLE', `fleet.${reason}`, 'later', `no fleet: ${reason}`, { params, cause });
  }
}

/** What a box of the fleet said of a photo that it could not colour, in its own words. */
export class FleetFailed extends StudioError {
  constructor(code: string, messageKey: string, params: Readonly<Record<string, string | number>>) {
    super(code, messageKey, 'never', `the fleet could not: ${code}`, { params });
  }

  /** The queue set it aside. @param reason code and English text. */
  static gaveUp(reason: string): FleetFailed {
    return new FleetFailed('FLEET_GAVE_UP', 'fleet.gaveUp', { reason });
  }

  /** A worker that does not know what was asked for. */
  static noAnswer(worker: string): FleetFailed {
    return new FleetFailed('FLEET_NO_ANSWER', 'fleet.noAnswer', { worker });
  }

  /** Every worker has tried to get the model and could not. */
  static noModel(model: string): FleetFailed {
    return new FleetFailed('FLEET_NO_MODEL', 'fleet.noModel', { model });
  }

  /** A model that only this machine has. */
  static ownModel(model: string): FleetFailed {
    return new FleetFailed('FLEET_OWN_MODEL', 'fleet.ownModel', { model });
  }
}

const wrongUseCodes = new Set(['WRONG_USE', 'MODEL_ID_INVALID', 'MODEL_BUNDLED']);

const environmentCodes = new Set([
  'CONFIG_FAULTY',
  'FLEET_UNUSABLE',
  'MODEL_MISSING',
  'MODEL_UNFIT',
  'INT8_DIFFERS',
  'MODEL_DAMAGED',
  'MODEL_DOWNLOAD_FAILED',
  'INFERENCE_FAILED',
  'INFERENCE_OUT_OF_MEMORY',
  'DISK_UNAVAILABLE',
  'ADDRESS_IN_USE',
  'WECHAT_PUPPET_MISSING',
  'WECHAT_TOKEN_MISSING',
  'DATABASE_AWAY',
  'DATABASE_NEWER',
  'DATABASE_DAMAGED',
  'BLOBS_AWAY',
  'QUEUE_AWAY',
  'BILL_NOT_READY',
  'GATEWAY_UNKNOWN',
]);

/** Exit code of a command that an error ended. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof StudioError)) return exitCodes.environment;
  if (wrongUseCodes.has(error.code)) return exitCodes.wrongUse;
  if (error.code === 'CANCELLED') return exitCodes.interrupted;
  return environmentCodes.has(error.code) ? exitCodes.environment : exitCodes.someFailed;
}

/** One localised sentence for a person; unknown errors are shown as they are. */
export function describeError(error: unknown, t: Translate): string {
  if (error instanceof WorkflowInvalid) {
    const list = error.details.map(({ key, params }) => `  ${t(key, params)}`).join('\n');
    return t(error.messageKey, { ...error.params, list });
  }
  // Whoever sits at the command line runs the servers: the customer's words would not help.
  const server = serverFaultOf(error);
  if (server) return t(server.messageKey, server.params);
  // In a chat one would ask for another copy; here somebody looks at their own disk.
  if (error instanceof PhotoUnreadable && error.reason === 'damaged') return t('cli.damaged');
  if (error instanceof StudioError) return t(error.messageKey, error.params);
  return t('cli.unexpected', { reason: error instanceof Error ? error.message : String(error) });
}

/** The same for machines. */
export function errorRecord(error: unknown, t: Translate): { code: string; message: string } {
  return { code: codeOf(error), message: describeError(error, t) };
}
