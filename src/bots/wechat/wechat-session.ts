import { setTimeout as wait } from 'node:timers/promises';
import type { FriendshipInterface, MessageInterface, WechatyInterface } from 'wechaty/impls';
import type { PuppetInterface } from 'wechaty-puppet/impls';
import { ChannelAway } from '../../studio/errors/index.js';
import type { Logger } from '../../studio/ports/basics.js';
import { type MissingModule, missingModuleOf } from './wechat-puppet.js';

/** How the login is, for the operator's page. */
export interface WechatStatus {
  readonly state: 'starting' | 'scan' | 'running' | 'loggedOut' | 'stopped';
  /** Content of the login QR code, while it waits to be scanned. */
  readonly qr?: string;
}

/** What a session tells of. */
export interface WechatEvents {
  message(message: MessageInterface): void;
  friendship(friendship: FriendshipInterface): void;
  scan(qr: string): void;
  login(): void;
  logout(): void;
}

/** What a login needs, and how it is kept alive; times in ms. */
export interface WechatSessionConfig {
  /** A puppet's name for wechaty to load, or the puppet; asked anew at every start. */
  readonly puppet: () => string | PuppetInterface;
  readonly token?: string;
  /** Where wechaty keeps the login: the file's path without `.memory-card.json`. */
  readonly memory: string;
  /** A session that is neither logged in nor waiting for a scan is started anew after this. */
  readonly graceMs: number;
  /** Puppets installed here are found as well. */
  readonly folder: string;
  /** The puppet cannot be loaded: something must be installed. */
  readonly notLoaded?: (cause: MissingModule) => void;
  readonly reconnectMs: number;
}

/** One account's login. */
export interface WechatSession {
  start(events: WechatEvents): void;
  stop(): Promise<void>;
  status(): WechatStatus;
  /** @throws {ChannelAway} nobody is logged in. */
  bot(): WechatyInterface;
}

/** Sending is asked to come back after this while nobody is logged in. */
const awayMs = 60_000;
const reconnectMaxMs = 300_000;
const stopMs = 5_000;
/** wechaty's ScanStatus: the code waits to be scanned. */
const waitingForScan = new Set([2, 5]);

/** One login, kept alive: whatever the puppet does, it is started again. */
export function createWechatSession(log: Logger, config: WechatSessionConfig): WechatSession {
  const stopping = new AbortController();
  let status: WechatStatus = { state: 'starting' };
  let bot: WechatyInterface | undefined;
  let running: Promise<void> | undefined;

  /** Puppets' messages may quote names and texts; what is not installed is said. */
  function faulty(error: unknown): void {
    const missing = missingModuleOf(error, config.folder);
    if (missing) {
      log.error('wechat.puppetNotLoaded', { fault: 'module not found', ...missing });
      config.notLoaded?.(missing);
    } else log.warn('wechat.puppetFault', { fault: nameOf(error) });
  }

  async function run(events: WechatEvents): Promise<void> {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      const wasLoggedIn = await live(events).catch((error: unknown) => {
        faulty(error);
        return false;
      });
      if (stopping.signal.aborted) return;
      if (wasLoggedIn) attempt = 0;
      const pause = Math.min(reconnectMaxMs, config.reconnectMs * 2 ** attempt);
      log.info('wechat.reconnecting', { inMs: pause });
      await wait(pause, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  /** One life of a puppet. @returns whether it had been logged in. */
  async function live(events: WechatEvents): Promise<boolean> {
    const wechaty = await import('wechaty');
    // Its log goes to the console, message texts and all.
    wechaty.log.level('silent');
    const { token, memory } = config;
    const one = wechaty.WechatyBuilder.build({
      name: memory,
      puppet: config.puppet() as never,
      ...(token ? { puppetOptions: { token } } : {}),
    }) as unknown as WechatyInterface;
    let wasLoggedIn = false;
    const ended = new Promise<void>((resolve) => {
      stopping.signal.addEventListener('abort', () => resolve(), { once: true });
      listen(one, events, () => resolve());
    });
    one.on('login', () => {
      wasLoggedIn = true;
    });
    bot = one;
    status = { state: 'starting' };
    try {
      await one.start();
      // wechaty reports a puppet that does not start, and calls itself started.
      if (one.puppet.state.active()) await ended;
    } finally {
      bot = undefined;
      const { state } = status;
      status = { state: stopping.signal.aborted ? 'stopped' : 'loggedOut' };
      if (state === 'running' && !stopping.signal.aborted) events.logout();
      await Promise.race([one.stop().catch(() => {}), wait(stopMs, undefined, { ref: false })]);
    }
    return wasLoggedIn;
  }

  function listen(one: WechatyInterface, events: WechatEvents, end: () => void): void {
    const isCurrent = () => one === bot && !stopping.signal.aborted;
    /** A moment to mend itself, as most puppets do. */
    const endIfDead = () => {
      const timer = setTimeout(() => {
        const waiting = status.state === 'scan' && one.puppet.state.active();
        if (isCurrent() && !one.isLoggedIn && !waiting) end();
      }, config.graceMs);
      timer.unref();
    };
    one.on('scan', (qr, code) => {
      if (!isCurrent() || !qr || !waitingForScan.has(code)) return;
      status = { state: 'scan', qr };
      events.scan(qr);
    });
    one.on('login', () => {
      if (!isCurrent()) return;
      status = { state: 'running' };
      log.info('wechat.running');
      events.login();
    });
    one.on('logout', () => {
      if (!isCurrent()) return;
      const { state } = status;
      status = { state: 'loggedOut' };
      log.warn('wechat.loggedOut');
      if (state === 'running') events.logout();
      endIfDead();
    });
    one.on('error', (error) => {
      faulty(error);
      endIfDead();
    });
    one.on('message', (message) => events.message(message));
    one.on('friendship', (friendship) => events.friendship(friendship));
  }

  return {
    start(events) {
      running = run(events);
    },
    async stop() {
      stopping.abort();
      await running;
      status = { state: 'stopped' };
    },
    status: () => status,
    bot() {
      if (!bot || status.state !== 'running') throw new ChannelAway('wechat', awayMs);
      return bot;
    },
  };
}

/** Puppets' messages may quote addresses, names and texts: the class of the fault is enough. */
function nameOf(error: unknown): string {
  return error instanceof Error ? `${error.name}`.slice(0, 80) : typeof error;
}
