/** /docs: a rendered reference that works offline. swagger-ui is served from its package; the page holds no inline script. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';

export const DOCUMENT_PATH = '/api/v1/openapi.json';

const PAGE = `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Surefill API</title>
  <link rel="stylesheet" href="/docs/swagger-ui.css">
  <link rel="icon" type="image/png" href="/docs/favicon-32x32.png" sizes="32x32">
</head>
<body>
  <div id="reference"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
`;

/** The key typed into the page stays in its memory: persistAuthorization is off. */
const START = `SwaggerUIBundle({ url: '${DOCUMENT_PATH}', dom_id: '#reference', deepLinking: true, persistAuthorization: false, validatorUrl: null, displayRequestDuration: true });\n`;

/** One day: the files change with a new version of the package only. */
const STATIC_MAX_AGE_MS = 86_400_000;

/** Security headers of every answer. Only what the reference needs is allowed, and from this server alone. */
export function securityHeaders(): RequestHandler {
  const headers = headersOf(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          // swagger-ui sets style attributes.
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:'],
          fontSrc: ["'self'", 'data:'],
          connectSrc: ["'self'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      // The server speaks plain HTTP on loopback; a proxy that adds TLS adds this too.
      strictTransportSecurity: false,
    }),
  );
  return (_request, response, next) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    next();
  };
}

/** What this middleware says of every answer, asked once: each of its dozen headers is a middleware of its own. */
function headersOf(middleware: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void): readonly (readonly [string, string])[] {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  let done = false;
  middleware(response.req, response, (error) => (done = error === undefined));
  if (!done) throw new Error('the security headers cannot be made');
  return response.getHeaderNames().map((name) => [name, String(response.getHeader(name))]);
}

export function mountDocs(app: Express): void {
  const folder = dirname(require.resolve('swagger-ui-dist/package.json'));
  app.get('/docs', (_request, response) => {
    response.type('html').send(PAGE);
  });
  app.get('/docs/start.js', (_request, response) => {
    response.type('text/javascript').send(START);
  });
  app.use('/docs', express.static(folder, { index: false, maxAge: STATIC_MAX_AGE_MS, redirect: false }));
}
