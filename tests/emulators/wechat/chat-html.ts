import { types } from 'wechaty-puppet';
import type { WorldMessage } from './world.js';

const style = `
*{box-sizing:border-box} body{margin:0;background:#ededed;font:16px/1.45 "Noto Sans CJK SC","PingFang SC",system-ui,sans-serif;color:#191919}
header{position:sticky;top:0;background:#ededed;text-align:center;padding:.7rem;font-weight:600;border-bottom:1px solid #d5d5d5;z-index:1}
main{padding:.7rem .6rem 1rem;display:flex;flex-direction:column;gap:.7rem}
.m{display:flex;gap:.55rem;align-items:flex-start}.m.mine{flex-direction:row-reverse}
.a{flex:none;width:38px;height:38px;border-radius:5px;background:#3b6ea8;color:#fff;display:grid;place-items:center;font-weight:600}
.mine .a{background:#c98b4a}
.b{max-width:74%;padding:.5rem .7rem;border-radius:6px;background:#fff;white-space:pre-wrap;overflow-wrap:anywhere}
.mine .b{background:#95ec69}.b.p{padding:0;background:none}.p img{display:block;max-width:100%;max-height:300px;border-radius:6px}
.f{display:flex;gap:.7rem;align-items:center;min-width:210px}.f img{width:46px;height:46px;object-fit:cover;border-radius:4px}.f small{color:#888;display:block}`;

/** A conversation as a phone shows it, for pictures of it. */
export function wechatHtml(messages: readonly WorldMessage[], me: string): string {
  return `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><style>${style}</style>
<header>焕彩</header><main>${messages.map((one) => bubble(one, one.talkerId === me)).join('\n')}</main></html>`;
}

function bubble(message: WorldMessage, mine: boolean): string {
  const [kind, content] = contentOf(message);
  return `<div class="m${mine ? ' mine' : ''}"><div class="a">${mine ? '我' : '焕'}</div><div class="b ${kind}">${content}</div></div>`;
}

function contentOf({ type, text, bytes, filename }: WorldMessage): [string, string] {
  if (!bytes) return ['', escaped(text)];
  const isPng = filename?.endsWith('.png') ?? false;
  const source = `data:image/${isPng ? 'png' : 'jpeg'};base64,${bytes.toString('base64')}`;
  const isFile = type === types.Message.Attachment || /^huancai-\w{6}\./.test(filename ?? '');
  if (!isFile) return ['p', `<img src="${source}" alt="">`];
  const size = `${Math.round(bytes.length / 1024)} KB`;
  return [
    '',
    `<div class="f"><div>${escaped(filename ?? '')}<small>${size}</small></div><img src="${source}" alt=""></div>`,
  ];
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] as string);
}
