import type { FastifyInstance } from 'fastify';
import { isBearer } from '../bearer.js';
import type { FleetConfig, WebDeps } from '../dependencies.js';
import { WorkerRefused } from '../errors.js';
import { fleetBlobRoutes } from './blob-routes.js';
import { fleetModelRoutes } from './model-routes.js';

/** What workers without a bucket ask the studio for, under `/fleet/v1`. */
export function fleetRoutes(app: FastifyInstance, deps: WebDeps, config: FleetConfig): void {
  app.addHook('onRequest', async ({ headers }) => {
    if (!isBearer(headers.authorization, config.token)) throw new WorkerRefused();
  });
  fleetBlobRoutes(app, deps, config);
  if (deps.fleetModels) fleetModelRoutes(app, deps.fleetModels);
}
