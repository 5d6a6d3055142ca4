/** A key of KMS. */
export interface Key {
  readonly id: string;
  readonly region: string;
  readonly createdAt: string;
  state: 'Enabled' | 'Disabled' | 'PendingDeletion';
  /** AWS's own key of a service, such as `alias/aws/rds`. */
  readonly manager: 'AWS' | 'CUSTOMER';
  readonly description: string;
  aliases: string[];
}
