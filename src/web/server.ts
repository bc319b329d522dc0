import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import multipart from '@fastify/multipart';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import { systemCodeOf } from '../studio/errors/base.js';
import { limits } from '../studio/limits.js';
import type { ApiContext } from './api/context.js';
import { eventRoutes } from './api/events.js';
import { meRoutes } from './api/me.js';
import { photoRoutes } from './api/photos.js';
import { purchaseRoutes } from './api/purchases.js';
import { renditionRoutes } from './api/renditions.js';
import { uploadRoutes } from './api/uploads.js';
import { consoleRoutes } from './console-routes.js';
import type { WebConfig, WebDeps, WebServer } from './dependencies.js';
import { docsContrast } from './docs-contrast.js';
import { earlyRefusals } from './early-refusals.js';
import { AddressInUse, NoSuchPage } from './errors.js';
import { fleetRoutes } from './fleet/routes.js';
import { healthRoutes } from './health-routes.js';
import { createLiveStreams } from './live.js';
import { metricsRoute } from './metrics-route.js';
import { notifyRoutes } from './notify-routes.js';
import { addShapes } from './openapi.js';
import { openapi } from './openapi-document.js';
import { socketAddress } from './outside-address.js';
import { addPages, missingPage, pageIcon } from './pages.js';
import { PartialUploads } from './partial-uploads.js';
import { payApiRoutes, sandboxPayRoutes } from './pay-routes.js';
import { createProblemHandler } from './problem.js';
import { createRateLimits } from './rate-limits.js';
import { refuseCrossSite } from './same-origin.js';
import { addSecurityHeaders, docsPolicy } from './security.js';
import { createThumbnails } from './thumbnails.js';
import { proxyTrust } from './trusted-proxies.js';
import { removeStaleUploads } from './upload.js';
import { createIdentify } from './visitor.js';

const fleetPrefix = '/fleet/v1';

/**
 * The web ring: page, API, live events, pay page, notifications, health. Listens nowhere yet.
 * @throws when the front end is not built.
 */
export async function createWebServer(deps: WebDeps, config: WebConfig): Promise<WebServer> {
  const https = config.publicUrl?.startsWith('https:') ?? false;
  const problem = createProblemHandler(deps);
  const app = fastify({
    ...earlyRefusals({ messages: deps.messages, problem }, https),
    trustProxy: proxyTrust(config.trustProxy),
    bodyLimit: limits.web.bodyBytes,
    requestTimeout: limits.web.requestTimeoutMs,
    forceCloseConnections: 'idle',
    // Tolerant of JSON Schema words that only OpenAPI knows.
    ajv: {
      customOptions: { strict: false, coerceTypes: true, removeAdditional: false, verbose: true },
    },
    routerOptions: { maxParamLength: 128 },
  });
  app.setErrorHandler(problem);
  acceptEmptyJson(app);
  app.setNotFoundHandler((request, reply) => {
    if (!missingPage(request, reply, config.appDir)) problem(new NoSuchPage(), request, reply);
  });

  await addSecurityHeaders(app, https);
  await app.register(compress, {
    encodings: ['br', 'gzip'],
    // Text only; not live events, whose lines must not wait for a full buffer.
    customTypes: /^text\/(?!event-stream)|[/+](json|xml|javascript)(;|$)/,
    // A small body may unpack to a disk full: ours come as they are.
    globalDecompression: false,
  });
  await app.register(cookie, { secret: config.cookieKey });
  await app.register(rateLimit, { global: false });
  await app.register(multipart, { throwFileSizeLimit: false });
  await app.register(swagger, openapi as object);

  const api = await createContext(app, deps, config, https);
  app.addHook('onRequest', async (request) => {
    refuseCrossSite(request, config.publicUrl);
    // Workers move many files from one address, and services call for all customers at once; they
    // have a token, a signature or a secret instead of a limit.
    const isPage = !isServiceCall(request) && !request.url.startsWith(fleetPrefix);
    if (isPage) await api.rates.request(request);
  });
  await addRoutes(app, api);
  return lifecycle(app, api);
}

/**
 * Providers and chat services call from few addresses, for all customers at once; each call is
 * verified by its signature or secret.
 */
function isServiceCall(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { service?: boolean }).service === true;
}

async function createContext(
  app: FastifyInstance,
  deps: WebDeps,
  config: WebConfig,
  https: boolean,
): Promise<ApiContext> {
  const rates = createRateLimits(app, config);
  const secure = (request: FastifyRequest) => https || request.protocol === 'https';
  await removeStaleUploads(config.uploadDir, deps.clock);
  const live = createLiveStreams(deps.studio, config);
  const identify = createIdentify(
    {
      studio: deps.studio,
      beforeNew: rates.newCustomer,
      arrived: ({ chatId }) => live.arrived(chatId),
    },
    secure,
  );
  const thumbnails = createThumbnails(deps.blobs);
  const parts = new PartialUploads(deps.clock, {
    dir: config.partDir,
    atOnce: limits.web.partsAtOnce,
    keepMs: limits.web.partKeepMs,
  });
  return { ...deps, config, rates, secure, identify, live, parts, thumbnails };
}

async function addRoutes(app: FastifyInstance, api: ApiContext): Promise<void> {
  await app.register(
    async (v1) => {
      addShapes(v1);
      v1.addHook('onSend', async (_request, reply) => {
        if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
      });
      photoRoutes(v1, api);
      await v1.register(async (parts) => uploadRoutes(parts, api));
      renditionRoutes(v1, api);
      eventRoutes(v1, api);
      purchaseRoutes(v1, api);
      meRoutes(v1, api);
      payApiRoutes(v1, api);
    },
    { prefix: '/api/v1' },
  );
  const { fleet } = api.config;
  if (fleet)
    await app.register(async (own) => fleetRoutes(own, api, fleet), { prefix: fleetPrefix });
  await app.register(async (pay) => sandboxPayRoutes(pay, api));
  healthRoutes(app, api);
  metricsRoute(app, api);
  consoleRoutes(app, api);
  await app.register(async (notify) => notifyRoutes(notify, api));
  await addPages(app, api.config.appDir);
  await app.register(swaggerUi, {
    routePrefix: '/api/docs',
    uiConfig: { validatorUrl: null },
    theme: { title: 'Huancai API', css: [{ filename: 'contrast.css', content: docsContrast }] },
    logo: pageIcon(api.config.appDir),
    staticCSP: docsPolicy,
  });
}

/** A client that says JSON and sends nothing means: no body. */
function acceptEmptyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else parse(request, String(body), done);
  });
}

function lifecycle(app: FastifyInstance, api: ApiContext): WebServer {
  const { host, port } = api.config;
  return {
    async listen() {
      try {
        await app.listen({ host, port });
      } catch (error) {
        const code = systemCodeOf(error) ?? '';
        if (['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL'].includes(code)) {
          throw new AddressInUse(host, port, error);
        }
        throw error;
      }
      return { url: api.config.publicUrl ?? localUrl(app) };
    },
    async close(timeoutMs = 10_000) {
      const cut = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
      api.live.closeAll();
      await app.close();
      clearTimeout(cut);
    },
  };
}

function localUrl(app: FastifyInstance): string {
  const address = app.server.address();
  return address === null || typeof address === 'string'
    ? 'http://localhost'
    : socketAddress(address);
}
