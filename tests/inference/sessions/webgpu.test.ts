import path from 'node:path';
import { hostBench, ramp } from './host-tools';

// Software Vulkan compiles every shader for the processor first.
jest.setTimeout(900_000);

const starter = path.resolve(__dirname, '../../../models/starter/starter.onnx');
const bench = hostBench();
afterAll(() => bench.close());

const patient = { startTimeoutMs: 400_000, runTimeoutMs: 400_000 };

test('WebGPU answers as the processor does; where there is no adapter, the result says so', async () => {
  const { host, events } = bench.host({ ...patient, providers: ['webgpu', 'cpu'] });
  const gpu = await host.predict(ramp(starter, 64));
  if (gpu.provider === 'webgpu') {
    const { host: other } = bench.host({ ...patient, providers: ['cpu'] });
    const cpu = await other.predict(ramp(starter, 64));
    const worst = gpu.ab.reduce((most, v, i) => Math.max(most, Math.abs(v - cpu.ab[i]!)), 0);
    // Units of a*b*; 2 is about a just visible difference.
    expect(worst).toBeLessThan(0.05);
    expect(gpu.notes).toEqual([]);
  } else {
    // ./check sets this where it has installed a driver that works.
    expect(process.env['HUANCAI_EXPECT_WEBGPU']).toBeUndefined();
    expect(gpu.provider).toBe('cpu');
    expect(gpu.notes.map((note) => note.key)).toEqual(['inference.provider.webgpuAdapter']);
    expect(events.filter((event) => event.name === 'providerFallback')).toHaveLength(1);
  }
});
