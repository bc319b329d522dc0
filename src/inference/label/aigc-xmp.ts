import type { Label } from '../../studio/ports/colorizer.js';

/**
 * The implicit label of AI-made content, GB 45438-2025: XMP property TC260:AIGC, a JSON text whose
 * values are all strings. At the first write the propagator is the producer.
 */
const AIGC_NAMESPACE = 'http://www.tc260.org.cn/ns/AIGC/1.0/';

/** The fields of the implicit label, as GB 45438-2025 names them. */
export interface AigcLabel {
  /** "1": the content is AI-generated or AI-synthesised. */
  readonly Label: string;
  readonly ContentProducer: string;
  readonly ProduceID: string;
  readonly ReservedCode1: string;
  readonly ContentPropagator: string;
  readonly PropagateID: string;
  readonly ReservedCode2: string;
}

/** The label's fields for one picture: made and handed on by the same service. */
export function aigcLabel({ producer, produceId }: Label): AigcLabel {
  return {
    Label: '1',
    ContentProducer: producer,
    ProduceID: produceId,
    ReservedCode1: '',
    ContentPropagator: producer,
    PropagateID: produceId,
    ReservedCode2: '',
  };
}

/** A whole XMP packet that holds the label and nothing else. */
export function xmpPacket(label: AigcLabel): string {
  return [
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    `<rdf:Description rdf:about="" xmlns:TC260="${AIGC_NAMESPACE}">`,
    `<TC260:AIGC>${escapeXml(JSON.stringify(label))}</TC260:AIGC>`,
    '</rdf:Description>',
    '</rdf:RDF>',
    '</x:xmpmeta>',
    '<?xpacket end="r"?>',
  ].join('\n');
}

/** The label in an XMP packet, as an element or as an attribute, or undefined. */
export function parseAigcLabel(xmp: string): AigcLabel | undefined {
  const text =
    /<TC260:AIGC>([^<]*)<\/TC260:AIGC>/.exec(xmp)?.[1] ?? /TC260:AIGC="([^"]*)"/.exec(xmp)?.[1];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(unescapeXml(text)) as AigcLabel;
  } catch {
    return undefined;
  }
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' } as const;

function escapeXml(text: string): string {
  // XML has no place for other control characters, not even escaped.
  return text
    .replace(/[^\t\n\r -\ud7ff\ue000-\uffff\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"']/g, (c) => ENTITIES[c as keyof typeof ENTITIES]);
}

function unescapeXml(text: string): string {
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (entity) => {
      const found = Object.entries(ENTITIES).find(([, name]) => name === entity);
      return found?.[0] ?? entity;
    });
}
