import { StudioError } from '../../studio/errors/index.js';

/** WECHATY_PUPPET names a package that is not installed. */
export class WechatPuppetMissing extends StudioError {
  constructor(
    readonly puppet: string,
    folder: string,
  ) {
    super(
      'WECHAT_PUPPET_MISSING',
      'bots.wechat.puppetMissing',
      'never',
      `puppet ${puppet} is not installed; npm install --prefix ${folder} ${puppet}`,
      { params: { puppet, folder } },
    );
  }
}

/** The puppet is a paid service and needs its token. */
export class WechatTokenMissing extends StudioError {
  constructor(readonly puppet: string) {
    super(
      'WECHAT_TOKEN_MISSING',
      'bots.wechat.tokenMissing',
      'never',
      `puppet ${puppet} needs WECHATY_TOKEN`,
      { params: { puppet } },
    );
  }
}
