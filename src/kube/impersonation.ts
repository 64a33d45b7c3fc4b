/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation */
export function impersonation(as: {
  user?: string | undefined;
  groups?: readonly string[] | undefined;
  uid?: string | undefined;
  extra?: Readonly<Record<string, readonly string[]>> | undefined;
}): Record<string, string | readonly string[]> {
  if (as.user === undefined || as.user === '') return {};
  const headers: Record<string, string | readonly string[]> = { 'Impersonate-User': headerText(as.user) };
  if (as.uid) headers['Impersonate-Uid'] = headerText(as.uid);
  if (as.groups?.length) headers['Impersonate-Group'] = as.groups.map(headerText);
  for (const [key, values] of Object.entries(as.extra ?? {})) {
    headers[`Impersonate-Extra-${encodeURIComponent(key)}`] = values.map(headerText);
  }
  return headers;
}

/** Node writes headers as Latin-1; the API server reads them as UTF-8. */
function headerText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
