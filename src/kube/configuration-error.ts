/** The way to the API server is not configured, or not rightly so. One line, never a secret in it. */
export class ConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ConfigurationError';
  }
}
