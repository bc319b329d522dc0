import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import { BlobsNotOffered } from '../../studio/errors/index.js';
import { flowing } from './flowing.js';
import {
  type FileFacts,
  type RemoteBody,
  RemoteFault,
  type RemoteFaultKind,
  type RemoteStore,
  reasonOf,
} from './remote-store.js';

/** The studio that lends its blobs. */
export interface HttpStoreConfig {
  /** Origin of the studio, without a trailing slash. */
  readonly studioUrl: string;
  readonly token: string;
  /** A silent connection is given up after this, ms. */
  readonly stallMs: number;
}

type Answer = Dispatcher.ResponseData;

/** Blobs of a studio over its own `/fleet/v1`: for a network without a bucket. */
export function createHttpStore(config: HttpStoreConfig): RemoteStore {
  const { studioUrl, token, stallMs } = config;
  const base = `${studioUrl}/fleet/v1`;
  const connect = { timeout: Math.min(stallMs, 5_000) };
  const agent = new Agent({ connect, headersTimeout: stallMs, bodyTimeout: stallMs });
  /** What an upload is called at the studio and where it began last: the next try goes on. */
  const underway = new Map<string, { name: string; start: number }>();
  const running = new Map<string, Promise<void>>();

  async function ask(
    method: Dispatcher.HttpMethod,
    where: string,
    more: { headers?: Record<string, string>; body?: AsyncIterable<Buffer> | Buffer } = {},
  ): Promise<Answer> {
    const headers = { authorization: `Bearer ${token}`, ...more.headers };
    try {
      const body = more.body as Readable | undefined;
      return await request(`${base}${where}`, { method, headers, body, dispatcher: agent });
    } catch (error) {
      throw new RemoteFault('broken', reasonOf(error), { cause: error });
    }
  }

  /** Equal contents are one upload. */
  function upload(key: string, facts: FileFacts): Promise<void> {
    const known = running.get(key);
    if (known) return known;
    const work = uploadOnce(key, facts).finally(() => running.delete(key));
    running.set(key, work);
    return work;
  }

  async function uploadOnce(key: string, facts: FileFacts): Promise<void> {
    const before = underway.get(key);
    const name = before?.name ?? randomBytes(16).toString('hex');
    const start = before ? await heldBytes(name) : 0;
    // Where the last try ended is known only now: the server writes on for a moment.
    const progressed = before !== undefined && start > before.start;
    underway.set(key, { name, start });
    try {
      await send(key, name, start, facts);
      underway.delete(key);
    } catch (error) {
      if (!(error instanceof RemoteFault)) throw error;
      if (error.kind === 'damaged') underway.delete(key);
      throw new RemoteFault(error.kind, error.message, { cause: error.cause, progressed });
    }
  }

  async function heldBytes(name: string): Promise<number> {
    const answer = await ask('GET', `/uploads/${name}`);
    await answer.body.dump();
    if (answer.statusCode !== 204) throw faultOf(answer);
    return Number(answer.headers['upload-offset'] ?? 0);
  }

  async function send(key: string, name: string, start: number, facts: FileFacts): Promise<void> {
    const { file, bytes, sha256 } = facts;
    const query = `?kind=${key.split('/')[0]}&sha256=${sha256}&bytes=${bytes}`;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes - start),
      'upload-offset': String(start),
    };
    const rest = bytes > start;
    const body = rest ? flowing(createReadStream(file, { start }), stallMs) : Buffer.alloc(0);
    const answer = await ask('PATCH', `/uploads/${name}${query}`, { headers, body });
    const text = await answer.body.text().catch(() => '');
    if (answer.statusCode === 201) return;
    throw faultOf(answer, text);
  }

  async function read(key: string, startBytes: number): Promise<RemoteBody> {
    const range = startBytes > 0 ? { range: `bytes=${startBytes}-` } : undefined;
    const answer = await ask('GET', `/blobs/${key}`, { headers: range });
    const { statusCode, headers, body } = answer;
    if (statusCode === 200)
      return { body, startBytes: 0, totalBytes: Number(headers['content-length'] ?? 0) };
    const part = /^bytes (\d+)-\d+\/(\d+)$/.exec(String(headers['content-range'] ?? ''));
    if (statusCode === 206 && part)
      return { body, startBytes: Number(part[1]), totalBytes: Number(part[2]) };
    await body.dump();
    // Nothing is left to send: what is here is whole, or longer than it may be.
    if (statusCode === 416 && startBytes > 0) return read(key, 0);
    throw faultOf(answer);
  }

  return {
    place: studioUrl,
    upload,

    head: async (key) => {
      const answer = await ask('HEAD', `/blobs/${key}`);
      await answer.body.dump();
      if (answer.statusCode === 410) return undefined;
      if (answer.statusCode !== 200) throw faultOf(answer);
      const modifiedMs = Date.parse(String(answer.headers['last-modified'])) || 0;
      return { bytes: Number(answer.headers['content-length'] ?? 0), modifiedMs };
    },

    read,

    delete: async () => {
      throw new BlobsNotOffered('delete');
    },

    list: () => {
      throw new BlobsNotOffered('list');
    },
  };
}

const meanings: Readonly<Record<number, [RemoteFaultKind, string]>> = {
  401: ['refused', 'the worker token is refused (HUANCAI_WORKER_TOKEN)'],
  404: ['refused', 'no routes for workers: set HUANCAI_WORKER_TOKEN at the studio'],
  409: ['broken', 'the upload went on elsewhere'],
  410: ['missing', 'no such blob'],
  413: ['refused', 'too large'],
  422: ['damaged', 'the studio found other bytes'],
};

function faultOf({ statusCode }: Answer, text = ''): RemoteFault {
  const [kind, reason] = meanings[statusCode] ?? ['broken', ''];
  const server = statusCode >= 500 || statusCode === 429 || meanings[statusCode] !== undefined;
  const code = /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? '';
  return new RemoteFault(server ? kind : 'refused', `HTTP ${statusCode} ${code} ${reason}`.trim());
}
