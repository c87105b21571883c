import { z } from 'zod';
import { livenessSchema, readinessSchema } from '../../schemas/health';
import { DOCUMENT_PATH } from '../docs';
import type { RouteContext } from '../route-table';
import { route, type Route } from '../route';

export function healthRoutes({ ports, registry, document }: RouteContext): Route[] {
  const open = { method: 'get', tag: 'Service', scope: null } as const;
  return [
    route({
      ...open,
      path: '/healthz',
      operationId: 'liveness',
      summary: 'The process answers',
      responses: { 200: { description: 'Alive.', schema: livenessSchema } },
      errors: [],
      async handle() {
        return { status: 200, body: { status: 'ok' } };
      },
    }),
    route({
      ...open,
      path: '/readyz',
      operationId: 'readiness',
      summary: 'PostgreSQL, Temporal and workers answer; venues are reported and never decide',
      responses: { 200: { description: 'Ready.', schema: readinessSchema }, 503: { description: 'Not ready: the part that is away says so.', schema: readinessSchema } },
      errors: [],
      async handle() {
        const readiness = await ports.health.readiness();
        return { status: readiness.status === 'ready' ? 200 : 503, body: readiness };
      },
    }),
    route({
      ...open,
      path: '/metrics',
      operationId: 'metrics',
      summary: 'Figures for Prometheus',
      responses: { 200: { description: 'Prometheus text format.', schema: z.string() } },
      errors: [],
      async handle() {
        return { status: 200, body: await registry.metrics(), headers: { 'Content-Type': registry.contentType } };
      },
    }),
    route({
      ...open,
      path: DOCUMENT_PATH,
      operationId: 'openApiDocument',
      summary: 'This document',
      responses: { 200: { description: 'OpenAPI 3.1.', schema: z.record(z.string(), z.unknown()) } },
      errors: [],
      async handle() {
        return { status: 200, body: document() };
      },
    }),
  ];
}
