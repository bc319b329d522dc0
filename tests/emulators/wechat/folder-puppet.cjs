// A puppet for a process that is killed: the world is a folder that outlives it. `in/<n>.json` is what
// people say, `out/<n>-<kind>` what the account sent. After a start everything said is told again, as
// WeChat does with what the phone had not shown; whoever listens must not answer twice.
const fs = require('node:fs');
const path = require('node:path');

module.exports = (root, requireFrom) => {
  const { PuppetMock, mock } = requireFrom('wechaty-puppet-mock');
  const { FileBox } = requireFrom('file-box');
  const inDir = path.join(root, 'in');
  const outDir = path.join(root, 'out');
  const me = 'wxid_the_studio';
  const person = 'wxid_customer';
  const contact = (id) => ({ id, name: id, avatar: '', gender: 0, type: 1, phone: [] });

  return class FolderPuppet extends PuppetMock {
    constructor() {
      super({ mocker: new mock.Mocker() });
      this.told = new Set();
      for (const id of [me, person]) this.mocker.cacheContactPayload.set(id, contact(id));
    }

    async onStart() {
      await super.onStart();
      setImmediate(() => this.login(me));
      this.timer = setInterval(() => this.isLoggedIn && this.tell(), 50);
    }

    async onStop() {
      clearInterval(this.timer);
      await super.onStop();
    }

    tell() {
      for (const name of fs.readdirSync(inDir).sort()) {
        if (!name.endsWith('.json') || this.told.has(name)) continue;
        this.told.add(name);
        this.emit('message', { messageId: name });
      }
    }

    async messageRawPayload(id) {
      const said = JSON.parse(fs.readFileSync(path.join(inDir, id), 'utf8'));
      const common = { id, talkerId: person, listenerId: me, timestamp: Date.now() / 1000 };
      return { ...common, type: said.photo ? 6 : 7, text: said.text ?? '' };
    }

    async messageImage(id) {
      return FileBox.fromFile(path.join(inDir, id.replace('.json', '.jpg')), 'picture.jpg');
    }

    async messageSendText(_to, text) {
      return this.wrote('text.txt', Buffer.from(text));
    }

    async messageSendFile(_to, file) {
      return this.wrote(file.name, await file.toBuffer());
    }

    wrote(kind, bytes) {
      const number = String(fs.readdirSync(outDir).length + 1).padStart(4, '0');
      const name = path.join(outDir, `${number}-${kind}`);
      fs.writeFileSync(`${name}.part`, bytes);
      fs.renameSync(`${name}.part`, name);
      return number;
    }
  };
};
