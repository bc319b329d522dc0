/** What people ask in their own words, beside what buttons and commands say. */
export const wishTopics = [
  'thanks',
  'complaint',
  'human',
  'notSatisfied',
  'price',
  'free',
  'payHow',
  'invoice',
  'howLong',
  'privacy',
  'repair',
  'video',
  'whereFile',
  'quality',
  'watermark',
  'formats',
  'several',
  'accuracy',
  'robot',
  'howTo',
  'terms',
  'goodbye',
] as const;
/** One of them; the answer is the text `bots.wish.<topic>`. */
export type WishTopic = (typeof wishTopics)[number];

/** Longer words are a story for a person, not a question for a list. */
const longestWish = 200;

/**
 * The first that fits counts: what is asked for stands before what is only mentioned
 * ("I am not satisfied, give me my money back" is a refund).
 */
const wishes: readonly (readonly ['refund' | WishTopic, RegExp])[] = [
  [
    'refund',
    /退款|退钱|退錢|退回(?:我的)?(?:钱|款)|把钱还|还我钱|\brefund(?:s|ed)?\b|\bmoney back\b|\bchargeback\b/i,
  ],
  [
    'whereFile',
    /(?:照片|文件|高清|原图|图片?|结果)[^。？?]{0,6}(?:在哪|哪里|哪儿|呢|没收到|没有收到|不见)|(?:没|沒)(?:有)?(?:收到|发)[^。]{0,6}(?:照片|文件|高清|图)|(?:付|给)了?(?:款|钱)[^。]{0,8}(?:没|怎么)|\bwhere(?:'s| is| are| did)\b[^.?]{0,30}\b(?:files?|photos?|pictures?|images?|results?|hd|download)\b|\b(?:not|n't|never) (?:received?|got|get|arrived?)\b|\bi (?:have )?paid\b[^.]{0,40}\b(?:nothing|no|not|but)\b|\bdownload again\b/i,
  ],
  [
    'notSatisfied',
    /不满意|不滿意|不好看|(?:效果|颜色|顏色|上色)[^。]{0,4}(?:不好|不对|不行|太差|很差|难看|怪|不自然)|颜色错|重新?(?:做|上色|来)|\bnot (?:satisfied|happy|good|right)\b|\b(?:dis|un)satisfied\b|\bunhappy\b|\bdon'?t like\b|\b(?:wrong|bad|ugly|terrible|awful) (?:colou?rs?|results?)\b|\b(?:redo|try again)\b|\bcolou?rs? (?:is|are|look)s? (?:wrong|bad|off|ugly)\b/i,
  ],
  [
    'complaint',
    /投诉|投訴|举报|骗子|骗人|骗钱|差评|太差|垃圾|\bcomplain(?:t|ts|ing)?\b|\bscam\b|\bfraud\b|\bcheat(?:ed)?\b|\brip-?off\b|\bterrible service\b/i,
  ],
  [
    'human',
    /真人|人工|客服|店家|老板|联系(?:你们|方式|人)|有人吗|转人工|\b(?:human|real person|operator|customer service|staff|manager|agent)\b|\b(?:talk|speak|write) (?:to|with) (?:a |some)?(?:person|one|body)\b|\bcontact (?:you|us|info)\b|\banybody (?:there|here)\b/i,
  ],
  [
    'repair',
    /划痕|刮痕|折痕|裂(?:痕|缝|纹)|破损|破了|撕(?:破|坏|裂)|污(?:渍|点)|斑点|发霉|缺(?:了|角|损)|修复|修補|修补|修一?下|去(?:噪|除)|变清晰|更清(?:晰|楚)|模糊|\bscratch(?:es|ed)?\b|\b(?:tear|tears|torn|crease[sd]?|stains?|spots|damaged?|blurr?y|blurred|faded)\b|\b(?:repair|restore|fix|unblur|sharpen|retouch)\b/i,
  ],
  [
    'video',
    /视频|視頻|录像|影片|动起来|会动|动画|\b(?:videos?|movies?|films?|animat(?:e|ed|ion)|gifs?|clips?)\b/i,
  ],
  [
    'free',
    /免费|免費|不要钱|白嫖|\b(?:is it|it'?s|for) free\b|\bfree (?:of charge|preview|trial)s?\b|^free$/i,
  ],
  ['invoice', /发票|發票|收据|开票|\b(?:invoice|receipt|vat|tax bill)s?\b/i],
  [
    'payHow',
    /(?:怎么|怎麼|如何|哪里|咋)(?:样)?(?:付|支付|付款|付钱|买|购买|充值)|付款方式|支付方式|支付宝|微信支付|转账|\bhow (?:do|can|to|should) (?:i |we )?(?:pay|buy|purchase|order)\b|\bpayment methods?\b|\b(?:paypal|credit card|alipay|wechat pay|apple pay)\b/i,
  ],
  [
    'price',
    /多少(?:钱|錢|元|块)|价格|價格|价钱|价位|收费|怎么卖|几块钱|贵吗|太贵|便宜|优惠|打折|\b(?:price|prices|pricing|costs?|fees?|cheap(?:er)?|expensive|discounts?)\b|\bhow much\b/i,
  ],
  [
    'howLong',
    /多久|多长时间|什么时候(?:好|能|出|完)|几时|何时|要等|等多|好了(?:吗|没)|还没好|快(?:一?点|些)|\bhow long\b|\bwhen (?:will|is|are|can|do)\b|\b(?:hurry|still waiting|how (?:soon|fast|quick(?:ly)?))\b|\bis it (?:ready|done)\b/i,
  ],
  [
    'privacy',
    /隐私|隱私|保密|泄露|泄漏|安全吗|存(?:在哪|多久|放)|保存(?:在哪|多久|我)|谁(?:能|会)看|(?:被|会)(?:别人|公开)|\b(?:privacy|private|confidential|gdpr|data protection)\b|\bwho (?:can|will) see\b|\b(?:is it|are (?:they|my photos)) (?:safe|secure)\b|\b(?:store|keep) my (?:photos?|pictures?|data)\b/i,
  ],
  [
    'terms',
    /条款|协议|使用规则|服务条款|版权|著作权|\bterms\b|\bconditions\b|\bcopyright\b|\blicen[cs]e\b/i,
  ],
  [
    'watermark',
    /水印|标(?:签|识|记)|去掉.{0,4}字|AI\s*(?:合成|生成).{0,6}(?:去|什么|为什么)|\bwatermarks?\b|\b(?:ai )?label\b/i,
  ],
  [
    'quality',
    /清晰度|分辨率|像素|尺寸|多大|画质|打印|冲印|洗出来|\b(?:resolution|pixels?|dpi|quality|megapixels?|print(?:ed|ing)?|how (?:large|big|sharp))\b/i,
  ],
  [
    'formats',
    /格式|什么文件|底片|扫描|\b(?:formats?|heic|tiff?|raw|pdf|negatives?|scan(?:s|ned|ner)?|file types?)\b/i,
  ],
  [
    'several',
    /(?:很多|多|几|好几|一批|批量|一次)[^。]{0,4}张|批量|一起发|整本相册|\b(?:many|several|multiple|lots of|a lot of|whole album|hundreds? of)\b[^.?]{0,12}\b(?:photos?|pictures?|images?)\b|\b(?:bulk|batch)\b/i,
  ],
  [
    'accuracy',
    /(?:颜色|色彩)[^。]{0,4}(?:真实|准|真的|原来)|真实(?:吗|颜色)|(?:准|真)(?:确|实)?(?:吗|么)|\b(?:real|true|original|accurate|correct|authentic) colou?rs?\b|\bhow accurate\b|\bcolou?rs? (?:real|true|accurate)\b/i,
  ],
  [
    'robot',
    /机器人|你是谁|你是(?:人|什么)|是不是(?:人|AI)|人工智能|\b(?:are you|is this) (?:a |an )?(?:robot|bot|ai|real|machine)\b|\bwho are you\b|\bchat ?gpt\b/i,
  ],
  [
    'howTo',
    /怎么(?:用|弄|做|操作|发|玩|使用|上色)|如何(?:使用|操作|上色|发)|使用方法|教程|能做什么|会什么|做什么的|帮(?:帮)?(?:我|忙)(?!.{0,6}(?:上色|着色|调色))|救命|\bhow (?:does|do|to|can)\b[^.?]{0,20}\b(?:work|use|start|send|upload|colou?ri[sz]e)\b|\bwhat (?:can|do) you do\b|\bhelp\b|\binstructions?\b/i,
  ],
  [
    'thanks',
    /谢谢|謝謝|多谢|感谢|感謝|辛苦了|太(?:好|棒|美)了|很棒|真棒|好看|\b(?:thanks?|thank you|thx|ty|cheers|great|awesome|amazing|beautiful|wonderful|perfect|love it|well done)\b/i,
  ],
  [
    'goodbye',
    /^(?:再见|再見|拜拜|好的?|好吧|嗯+|ok|知道了|明白了?|收到|行|可以)[。！!~～\s]*$|^(?:bye|goodbye|see you|ok(?:ay)?|alright|fine|got it|i see|understood|sure|yes|no)[.!\s]*$/i,
  ],
];

/** What a person's words ask for, if it is one of the common things. Pure; never throws. */
export function wishOf(text: string): 'refund' | WishTopic | undefined {
  const words = text.normalize('NFKC').replaceAll('’', "'").trim();
  if (words === '' || words.length > longestWish) return undefined;
  return wishes.find(([, pattern]) => pattern.test(words))?.[0];
}
