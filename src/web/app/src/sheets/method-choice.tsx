import type { Method } from '../api';
import { useTexts } from '../store';
import { methodTexts } from '../texts/methods';

/** Radio buttons of the ways to pay; one way needs no question. */
export function MethodChoice(props: {
  methods: readonly Method[];
  chosen?: Method;
  choose: (method: Method) => void;
}) {
  const { t, language } = useTexts();
  if (props.methods.length < 2) {
    return props.methods[0] === 'sandbox' ? <SandboxMark /> : null;
  }
  return (
    <fieldset class="methods">
      <legend>{t('pay.method')}</legend>
      {props.methods.map((method) => (
        <label key={method}>
          <input
            type="radio"
            name="method"
            checked={props.chosen === method}
            onChange={() => props.choose(method)}
          />
          {methodTexts[language][method].name}
        </label>
      ))}
    </fieldset>
  );
}

/** Wherever the sandbox takes part, the page says so. */
export function SandboxMark() {
  const { t } = useTexts();
  return (
    <p class="sandbox">
      <b>{t('pay.sandbox')}</b> {t('pay.sandbox.text')}
    </p>
  );
}
