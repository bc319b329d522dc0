import type { Language } from '../../../../studio/ports/basics';
import type { PaymentMethod, paymentMethods } from '../../../../studio/ports/gateway';

interface MethodTexts {
  readonly name: string;
  /** Under its code. */
  readonly scan?: string;
  /** On the link that opens its app on the same phone. */
  readonly open?: string;
}

/** Whoever shows a code says how to scan it. */
type TextsOf<M extends PaymentMethod> = (typeof paymentMethods)[M] extends {
  readonly shows: 'code';
  readonly money: 'provider' | 'sandbox';
}
  ? MethodTexts & { readonly scan: string }
  : MethodTexts;

/** What the page says of each way to pay. */
export const methodTexts: Readonly<
  Record<Language, { readonly [M in PaymentMethod]: TextsOf<M> }>
> = {
  en: {
    alipay: {
      name: 'Alipay',
      scan: 'Scan with Alipay, or open the app on this phone.',
      open: 'Open Alipay',
    },
    wechatpay: {
      name: 'WeChat Pay',
      scan: 'Scan with WeChat from another screen. Pressing long on this code or choosing it from the album does not work.',
    },
    stars: {
      name: 'Telegram Stars',
    },
    sandbox: {
      name: 'Sandbox (no real money)',
      scan: 'Scan with any phone that reaches this machine, or press the button.',
    },
    credits: {
      name: 'Credits',
    },
  },
  'zh-CN': {
    alipay: {
      name: '支付宝',
      scan: '用支付宝扫码，或在本机打开支付宝。',
      open: '打开支付宝',
    },
    wechatpay: {
      name: '微信支付',
      scan: '请用另一块屏幕显示此码，再用微信“扫一扫”。长按识别或从相册选取都无法付款。',
    },
    stars: {
      name: 'Telegram Stars',
    },
    sandbox: {
      name: '沙盒（不会真的扣款）',
      scan: '用能访问本机的手机扫码，或直接点按钮。',
    },
    credits: {
      name: '点数',
    },
  },
};
