/**
 * What is asked of nvidia-smi: our name, then its names, newest first. A driver that knows none of
 * them leaves the field out. The card's name comes last: it alone may contain a comma.
 */
export const NVIDIA_FIELDS = [
  ['index', 'index'],
  ['uuid', 'uuid'],
  ['driverVersion', 'driver_version'],
  ['computeCapability', 'compute_cap'],
  ['temperatureC', 'temperature.gpu'],
  ['fanPercent', 'fan.speed'],
  ['memoryTotalMiB', 'memory.total'],
  ['memoryUsedMiB', 'memory.used'],
  ['utilizationPercent', 'utilization.gpu'],
  ['powerW', 'power.draw'],
  [
    'hwThermalSlowdown',
    'clocks_event_reasons.hw_thermal_slowdown',
    'clocks_throttle_reasons.hw_thermal_slowdown',
    'clocks_throttle_reasons.hw_slowdown',
  ],
  [
    'swThermalSlowdown',
    'clocks_event_reasons.sw_thermal_slowdown',
    'clocks_throttle_reasons.sw_thermal_slowdown',
  ],
  ['name', 'name'],
] as const satisfies readonly (readonly [string, string, ...string[]])[];

/** A field that nvidia-smi is asked for, by our name. */
export type NvidiaField = (typeof NVIDIA_FIELDS)[number][0];

/** One question: our names and, in the same order, the driver's. */
export interface NvidiaQuestion {
  readonly fields: readonly NvidiaField[];
  readonly asked: readonly string[];
}

/** The newest names, without those the driver is known not to understand. */
export function nvidiaQuestion(unknown: ReadonlySet<string>): NvidiaQuestion {
  const known = NVIDIA_FIELDS.flatMap(([field, ...names]) => {
    const name = names.find((one) => !unknown.has(one));
    return name ? [{ field, name }] : [];
  });
  return { fields: known.map((one) => one.field), asked: known.map((one) => one.name) };
}

/** The name the driver did not understand, in its own words. */
export function unknownField(answer: string): string | undefined {
  return /Field "([^"]+)" is not a valid field to query/i.exec(answer)?.[1];
}
