/** Jest's global tear-down: stops what start-shared-servers.ts started. */
export default async function stopSharedServers(): Promise<void> {
  await Promise.all((globalThis.surefillSharedServers ?? []).map((server) => server.stop()));
}
