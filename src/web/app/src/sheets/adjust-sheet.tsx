import { useState } from 'preact/hooks';
import { closeSheet, photoAction } from '../actions';
import { useStore, useTexts } from '../store';
import { SheetFrame } from './sheet';

/** Strength and warmth. The colours are kept, so the new look is there in a moment. */
export function AdjustSheet({ photoId }: { photoId: string }) {
  const { t } = useTexts();
  const { photos } = useStore();
  const photo = photos.find((one) => one.id === photoId);
  const look = photo?.looks.find((one) => one.id === photo.selectedLookId) ?? photo?.looks[0];
  const [strength, setStrength] = useState(look?.strength ?? 1);
  const [warmth, setWarmth] = useState(look?.warmth ?? 0);
  const [busy, setBusy] = useState(false);
  const apply = async () => {
    setBusy(true);
    await photoAction.adjust(photoId, { strength, warmth });
    closeSheet();
  };
  return (
    <SheetFrame title={t('adjust.title')}>
      <Slider
        label={t('adjust.strength')}
        value={strength}
        min={0}
        max={1.5}
        show={`${Math.round(strength * 100)} %`}
        change={setStrength}
      />
      <Slider
        label={t('adjust.warmth')}
        value={warmth}
        min={-1}
        max={1}
        show={warmthWords(warmth, t)}
        change={setWarmth}
        kind="warmth"
      />
      <div class="actions">
        <button type="button" class="primary" disabled={busy} onClick={apply}>
          {t('adjust.apply')}
        </button>
        <button
          type="button"
          onClick={() => {
            setStrength(1);
            setWarmth(0);
          }}
        >
          {t('adjust.reset')}
        </button>
      </div>
    </SheetFrame>
  );
}

function warmthWords(warmth: number, t: ReturnType<typeof useTexts>['t']): string {
  if (Math.abs(warmth) < 0.05) return '0';
  const percent = `${Math.abs(Math.round(warmth * 100))} %`;
  return `${percent} ${t(warmth < 0 ? 'adjust.cooler' : 'adjust.warmer')}`;
}

function Slider(props: {
  label: string;
  value: number;
  min: number;
  max: number;
  show: string;
  change: (value: number) => void;
  kind?: string;
}) {
  return (
    <label class="slider">
      <span>
        {props.label}
        <output>{props.show}</output>
      </span>
      <input
        type="range"
        class={props.kind}
        min={props.min}
        max={props.max}
        step="0.05"
        value={props.value}
        aria-label={props.label}
        aria-valuetext={props.show}
        onInput={(event) => props.change(Number(event.currentTarget.value))}
      />
    </label>
  );
}
