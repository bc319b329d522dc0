import path from 'node:path';
import { isPuppetFault } from '../../bots/wechat/wechat-puppet.js';
import type { ModelStore } from '../../inference/models/index.js';
import { qrSvg } from '../../payments/qr.js';
import type { ChannelId, Logger } from '../../studio/ports/basics.js';
import type { ChatChannel } from '../../studio/ports/channel.js';
import { paymentMethods } from '../../studio/ports/gateway.js';
import type { WebConfig, WebServer } from '../../web/dependencies.js';
import { createWebServer } from '../../web/server.js';
import { createWebChannel } from '../../web/web-channel.js';
import { loadConfig } from '../config.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { listenForInterrupt } from '../interrupt.js';
import { readOrCreateKey } from '../key-file.js';
import { createMessages } from '../messages.js';
import type { MetricsListener } from '../metrics/listener.js';
import { type GlobalOptions, openShell } from '../open-shell.js';
import { packageRoot } from '../package-root.js';
import { openGateways } from '../payments/gateways.js';
import { createKeyReloadDuty } from '../payments/key-reload.js';
import { createReconcileDuty } from '../payments/reconcile-duty.js';
import { placesOf, workerName } from '../places.js';
import { aborted, dieLoudly, openLogger } from '../process.js';
import type { Shell } from '../shell.js';
import { type Bots, openBots } from './bots.js';
import { createDiskDuty } from './disk-duty.js';
import { healthChecks, proveEngine } from './health.js';
import { operatorPageOf } from './operator-page.js';
import { openShop, type Shop, startWork } from './shop.js';
import { startDuties, type Timers } from './timers.js';

/** After draining, this much for closing connections and processes, ms. */
const closeMs = 8_000;

/** `huancai serve`: web page, HTTP API and stages until SIGTERM or Ctrl-C. */
export async function serve(options: GlobalOptions): Promise<ExitCode> {
  const shell = openShell(options);
  const logger = openLogger(shell);
  dieLoudly(logger, (error) => puppetFault(error, logger));
  const interrupt = listenForInterrupt(() => shell.output.notice(shell.t('serve.stopping')));
  let url = shell.config.web.publicUrl ?? '';
  const channels = new Map<ChannelId, ChatChannel>([['web', createWebChannel()]]);
  const shop = await openShop(shell, { logger, channels, baseUrl: () => url });
  try {
    await shop.parts.engine.cards.start();
    const bots = openBots(shell, shop, channels, { ourUrl: () => url });
    const web = await openWeb(shell, shop, bots);
    url = (await web.listen()).url;
    const figures = await shop.watch.listen();
    const work = startWork(shop);
    await bots.start();
    const money = [reconcileDutyOf(shell, shop, bots), keyDutyOf(shell, shop)];
    const daily = startDuties([...money, diskDutyOf(shell, shop, bots), bots.duty], logger);
    announce(shell, shop, url);
    await aborted(interrupt.signal);
    await stop(shell, { web, work, shop, bots, daily, figures });
  } catch (error) {
    await closeShop(shop);
    throw error;
  } finally {
    interrupt.close();
  }
  return exitCodes.done;
}

/** A loose end of a WeChat puppet is not ours: its session notices and starts it again. */
function puppetFault(error: unknown, logger: Logger): boolean {
  if (!isPuppetFault(error)) return false;
  logger.warn('wechat.puppetFault', { fault: 'loose end' });
  return true;
}

function openWeb({ config }: Shell, shop: Shop, bots: Bots): Promise<WebServer> {
  const { studio, parts, store, queue, gateways, logger, context } = shop;
  const { blobs, clock, engine } = parts;
  const works = config.work.photosAtOnce > 0;
  const proof = works ? proveEngine(engine, config.inference.model) : undefined;
  const { minFreeBytes } = context.config.intake;
  const { publicUrl, ...web } = config.web;
  const { token } = config.worker;
  const { token: metricsToken } = config.metrics;
  const operatorPage = operatorPageOf(parts.places, bots.wechat);
  const webConfig: WebConfig = {
    ...web,
    ...(publicUrl ? { publicUrl } : {}),
    uploadDir: parts.places.uploads,
    partDir: parts.places.uploadParts,
    ...(token ? { fleet: { token, uploadDir: parts.places.fleetUploads } } : {}),
    cookieKey: readOrCreateKey(parts.places.key('cookie')),
  };
  return createWebServer(
    {
      ...{ studio, blobs, logger, clock, qrSvg },
      messages: createMessages(path.join(packageRoot, 'config', 'messages')),
      // Stars are told of inside the bot's own connection: nobody may say so from outside.
      gateways: [...gateways.all.values()].filter(
        ({ id }) => paymentMethods[id].notifies === 'http',
      ),
      webhooks: bots.webhooks,
      ...(operatorPage ? { operatorPage } : {}),
      ...(gateways.sandbox ? { sandbox: gateways.sandbox } : {}),
      fleetModels: { published: (id) => publishedModel(engine.models, id) },
      ...(metricsToken ? { metrics: { token: metricsToken, read: shop.watch.read } } : {}),
      health: [
        ...healthChecks({ store, queue, blobs, ...(proof ? { proof } : {}) }, minFreeBytes),
        ...bots.health,
      ],
    },
    webConfig,
  );
}

/** Those that ship with the package are on every box already. */
function publishedModel(models: ModelStore, id: string) {
  const { file, record } = models.list().find((one) => one.id === id && one.installed) ?? {};
  return file && record ? { file, record } : undefined;
}

/** Bills against books every morning; differences go to the log and to the operator. */
function reconcileDutyOf({ t }: Shell, shop: Shop, bots: Bots) {
  const { store, gateways, parts, logger, watch } = shop;
  return createReconcileDuty({
    ...{ store, logger, clock: parts.clock, metrics: watch.metrics },
    gateways: [...gateways.all.values()],
    tellOperator: (key, news) => bots.tellOperator(key, t('reconcile.operator', { ...news })),
  });
}

/** A disk that fills is told of while there is time to do something. */
function diskDutyOf({ t }: Shell, { store, parts, context, logger }: Shop, bots: Bots) {
  const { blobs, clock } = parts;
  const { minFreeBytes } = context.config.intake;
  return createDiskDuty({
    ...{ blobs, store, clock, logger, minFreeBytes },
    tellOperator: (key, { full, ...news }) =>
      bots.tellOperator(key, t(full ? 'serve.diskFull' : 'serve.diskFills', news)),
  });
}

/** Renewed key files of the providers are taken up without a restart. */
function keyDutyOf({ env }: Shell, { gateways, parts, logger }: Shop) {
  const open = () => {
    const config = loadConfig(env);
    return openGateways(parts, config, config.web.publicUrl ?? undefined, undefined);
  };
  return createKeyReloadDuty({ gateways: gateways.real, open, logger }, env);
}

/** One address for people; for machines also which parts were picked. */
function announce({ config, t, output }: Shell, { gateways, logger }: Shop, url: string): void {
  const database = config.database.url ? 'postgres' : 'sqlite';
  const queue = config.queue.redisUrl ? 'redis' : 'database';
  const notice = t(gateways.notice.messageKey, gateways.notice.params);
  output.line(t('serve.open', { url }));
  output.notice(notice);
  output.record({ type: 'open', url, database, queue, payments: [...gateways.all.keys()] });
  logger.info('serve.open', {
    ...{ address: url, database, queue, worker: workerName() },
    ...{ payments: [...gateways.all.keys()], dataDir: placesOf(config).dataDir },
  });
  if (gateways.risky) logger.warn('serve.sandboxBesideRealPayments', { notice });
}

/** Stop taking, finish what runs, close. A step that hangs is cut off: nothing is lost by it. */
async function stop(
  { config }: Shell,
  parts: {
    web: WebServer;
    work: ReturnType<typeof startWork>;
    shop: Shop;
    bots: Bots;
    daily: Timers;
    figures: MetricsListener | undefined;
  },
): Promise<void> {
  const { web, work, shop, bots, daily, figures } = parts;
  const { drainMs } = config.work;
  shop.logger.info('serve.draining', { drainMs });
  const cut = setTimeout(() => {
    shop.logger.warn('serve.cutOff', {});
    process.exit(exitCodes.done);
  }, drainMs + closeMs);
  const closing = web.close(Math.min(drainMs, 5_000));
  await Promise.all([closing, work.drain(drainMs), bots.stop(), daily.stop()]);
  await figures?.close();
  await closeShop(shop);
  clearTimeout(cut);
  shop.logger.info('serve.stopped', {});
}

async function closeShop({ studio, queue, store, parts }: Shop): Promise<void> {
  studio.close();
  await queue.close().catch(() => {});
  await Promise.allSettled([store.close(), parts.engine.close()]);
}
