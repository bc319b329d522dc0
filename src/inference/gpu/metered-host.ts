import type { Clock } from '../../studio/ports/basics.js';
import type { InferenceHost } from '../sessions/index.js';
import type { EnergyMeter } from './energy-meter.js';

/** A host whose answers say which card they came from and what they cost it. */
export function meteredHost(
  host: InferenceHost,
  { meter, clock }: { meter: Pick<EnergyMeter, 'during'>; clock: Clock },
  { deviceId }: { deviceId: number },
): InferenceHost {
  return {
    describe: (file, id) => host.describe(file, id),
    status: () => host.status(),
    fellBack: () => host.fellBack(),
    mayTakeWork: () => host.mayTakeWork(),
    close: () => host.close(),
    predict: async (request, context) => {
      const answer = await host.predict(request, context);
      if (answer.provider === 'cpu') return answer;
      return { ...answer, ...meter.during(deviceId, clock.now(), answer.seconds) };
    },
  };
}
