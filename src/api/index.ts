/** What main uses of this room. */
export { createApi, type Api, type ApiOptions } from './api';
export { createHttpServer } from './http-server';
export { Authenticator, mayUse } from './auth';
export type { CallLimitRules } from './call-limits';
export type { CodecEndpoint } from './codec';
export { errorBody, toDomainError } from './errors';
export type * from './ports';
