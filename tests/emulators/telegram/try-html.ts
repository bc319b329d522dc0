/** One file, no dependency: a chat in the browser. */
export const tryHtml = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Huancai bot, without Telegram</title>
<style>
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; --me: #d9f5c8; --bot: #fff; --bg: #b9cfdc; --fg: #14202b }
@media (prefers-color-scheme: dark) { :root { --me: #2f5f48; --bot: #1f2c3a; --bg: #0e1621; --fg: #eef3f7 } }
* { box-sizing: border-box } body { margin: 0; background: var(--bg); color: var(--fg) }
main { max-width: 560px; margin: 0 auto; min-height: 100dvh; display: flex; flex-direction: column }
header { padding: .7rem 1rem; background: var(--bot); position: sticky; top: 0; font-weight: 600; z-index: 1 }
header small { font-weight: 400; opacity: .65; display: block }
#log { flex: 1; padding: .8rem; display: flex; flex-direction: column; gap: .45rem }
.m { max-width: 86%; padding: .5rem .7rem; border-radius: 14px; background: var(--bot); align-self: flex-start; white-space: pre-wrap; overflow-wrap: anywhere; box-shadow: 0 1px 1px #0002 }
.m.mine { background: var(--me); align-self: flex-end } .m img { display: block; max-width: 100%; max-height: 250px; border-radius: 10px; margin: -.1rem 0 .35rem }
.m a { color: inherit } .row { display: flex; gap: .3rem; margin-top: .4rem }
.row button, .row a { flex: 1; border: 0; border-radius: 9px; padding: .5rem; font: inherit; background: #5288c133; color: inherit; cursor: pointer; text-align: center; text-decoration: none }
form { display: flex; gap: .4rem; padding: .6rem; background: var(--bot); position: sticky; bottom: 0 }
form input[type=text] { flex: 1; min-width: 0; font: inherit; padding: .5rem .8rem; border-radius: 18px; border: 1px solid #8886; background: transparent; color: inherit }
form label, form button { border: 0; background: #5288c1; color: #fff; border-radius: 18px; padding: .5rem .8rem; font: inherit; cursor: pointer }
</style>
<main><header>Huancai 焕彩 <small>an emulated Telegram: nothing leaves this machine, Stars are play money</small></header>
<div id="log" aria-live="polite"></div>
<form id="form"><label title="As a file">📎<input id="file" type="file" accept="image/*" multiple hidden></label>
<input id="text" type="text" placeholder="/start" autocomplete="off" aria-label="Message"><button>➤</button></form></main>
<script>
const log = document.getElementById('log'), post = (path, body, headers) => fetch('/try/' + path, { method: 'POST', body, headers });
const make = (tag, props, ...kids) => { const e = Object.assign(document.createElement(tag), props); e.append(...kids); return e; };
// Once more when a picture has its size.
const down = () => scrollTo(0, document.body.scrollHeight);
function draw(m) {
  const box = make('div', { className: 'm' + (m.mine ? ' mine' : '') });
  if (m.photo) box.append(make('img', { src: '/try/file/' + m.photo, alt: '', onload: down }));
  if (m.document) {
    if (/\\.(jpe?g|png|webp)$/i.test(m.document.name || '') ) box.append(make('img', { src: '/try/file/' + m.document.id, alt: '', onload: down }));
    box.append(make('a', { href: '/try/file/' + m.document.id, download: m.document.name || 'file', textContent: '📄 ' + (m.document.name || 'file') + ' (' + Math.round(m.document.bytes / 1024) + ' KB)' }), '\\n');
  }
  if (m.invoice) box.append('🧾 ' + m.invoice.title + '\\n' + m.invoice.total_amount + ' ⭐\\n');
  if (m.paid) box.append('⭐ paid');
  box.append(m.text);
  for (const row of m.buttons) box.append(make('div', { className: 'row' }, ...row.map((b) => b.url
    ? make('a', { href: b.url, target: '_blank', textContent: b.text })
    : make('button', { type: 'button', textContent: b.text, onclick: () => b.pay ? post('pay') : post('press', JSON.stringify({ messageId: m.id, data: b.callback_data })) }))));
  return box;
}
(async () => {
  for (let since = -1;;) {
    try {
      const { revision, messages } = await (await fetch('/try/messages?since=' + since)).json();
      since = revision;
      log.replaceChildren(...messages.map(draw));
      down();
    } catch { await new Promise((r) => setTimeout(r, 1000)); }
  }
})();
document.getElementById('form').onsubmit = (e) => { e.preventDefault(); const t = document.getElementById('text'); if (t.value.trim()) post('text', t.value); t.value = ''; };
document.getElementById('file').onchange = async (e) => { for (const f of e.target.files) await post('document', f, { 'x-name': encodeURIComponent(f.name), 'content-type': f.type }); e.target.value = ''; };
</script></html>`;
