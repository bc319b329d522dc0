import { useEffect, useState } from 'preact/hooks';
import { attempt } from '../actions';
import { api, type Receipt } from '../api';
import { useTexts } from '../store';
import { dateTime, money } from '../texts';
import { methodTexts } from '../texts/methods';
import { SheetFrame } from './sheet';

/** A receipt that prints well. */
export function ReceiptSheet({ orderId }: { orderId: string }) {
  const { t, language } = useTexts();
  const [receipt, setReceipt] = useState<Receipt>();
  useEffect(() => {
    void attempt(async () => setReceipt(await api<Receipt>('GET', `/orders/${orderId}/receipt`)));
  }, [orderId]);
  const total = receipt?.lines.reduce((sum, line) => sum + line.amountMinor, 0) ?? 0;
  return (
    <SheetFrame title={t('receipt.title')}>
      {receipt && (
        <div class="receipt">
          <dl>
            <dt>{t('receipt.order')}</dt>
            <dd class="code">{receipt.orderId}</dd>
            <dt>{t('receipt.paid')}</dt>
            <dd>{dateTime(language, receipt.paidAt)}</dd>
            <dt>{t('receipt.method')}</dt>
            <dd>{methodTexts[language][receipt.method].name}</dd>
          </dl>
          <table>
            <tbody>
              {receipt.lines.map((line) => (
                <tr key={line.text}>
                  <td>{line.text}</td>
                  <td>{money(line.amountMinor, receipt.currency)}</td>
                </tr>
              ))}
            </tbody>
            <tfoot>
              <tr>
                <th scope="row">{t('receipt.total')}</th>
                <td>{money(total, receipt.currency)}</td>
              </tr>
            </tfoot>
          </table>
          <button type="button" class="quiet" onClick={() => window.print()}>
            {t('receipt.print')}
          </button>
        </div>
      )}
    </SheetFrame>
  );
}
