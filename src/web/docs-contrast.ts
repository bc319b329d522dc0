/**
 * For /api/docs: Swagger UI's greys on white and white on bright colours are hard to read. These are
 * at least 4.5 : 1 (WCAG 2.2, 1.4.3).
 */
export const docsContrast = `
.swagger-ui .opblock.opblock-get .opblock-summary-method { background: #1a5fb4; }
.swagger-ui .opblock.opblock-post .opblock-summary-method { background: #1b6b45; }
.swagger-ui .opblock.opblock-patch .opblock-summary-method { background: #1f6b5c; }
.swagger-ui .opblock.opblock-put .opblock-summary-method { background: #8a4b00; }
.swagger-ui .opblock.opblock-delete .opblock-summary-method { background: #a51d2d; }
.swagger-ui .info .title small { background: #55595f; }
.swagger-ui .info .title small.version-stamp { background: #3c6105; }
.swagger-ui .topbar .download-url-wrapper .download-url-button { background: #3c6105; }
.swagger-ui .btn.authorize { border-color: #1b6b45; color: #1b6b45; }
.swagger-ui .btn.authorize svg { fill: #1b6b45; }
.swagger-ui .btn.execute { border-color: #1a5fb4; background: #1a5fb4; }
.swagger-ui .info .base-url,
.swagger-ui .info a,
.swagger-ui .parameter__type,
.swagger-ui .prop-format,
.swagger-ui .prop-type,
.swagger-ui .parameter__in,
.swagger-ui .response-control-media-type__accept-message,
.swagger-ui .response-col_links,
.swagger-ui .models .json-schema-2020-12__attribute,
.swagger-ui .json-schema-2020-12__attribute { color: #3b4151; }
.swagger-ui .info a { color: #1a5fb4; }
.swagger-ui .prop-type,
.swagger-ui .json-schema-2020-12__attribute--primary { color: #4a3aa7; }
.swagger-ui .parameter__name.required span,
.swagger-ui .parameter__name.required::after { color: #a51d2d; }
.swagger-ui .response-control-media-type__accept-message { color: #1b6b45; }
`;
