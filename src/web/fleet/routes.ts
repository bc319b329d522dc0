import type { FastifyInstance } from 'fastify';
import type { FleetConfig, WebDeps } from '../dependencies.js';
import { fleetBlobRoutes } from './blob-routes.js';
import { fleetModelRoutes } from './model-routes.js';
import { createWorkerCheck } from './worker-token.js';

/** What workers without a bucket ask the studio for, under `/fleet/v1`. */
export function fleetRoutes(app: FastifyInstance, deps: WebDeps, config: FleetConfig): void {
  const check = createWorkerCheck(config.token);
  app.addHook('onRequest', async (request) => check(request));
  fleetBlobRoutes(app, deps, config);
  if (deps.fleetModels) fleetModelRoutes(app, deps.fleetModels);
}
