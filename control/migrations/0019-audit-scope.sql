-- Verifying the record needs a scope of its own. A token that may do everything else may do this, too, as it could.
UPDATE steadyhand.tokens t SET scopes = (t.scopes::jsonb || '["audit"]')::json
WHERE t.scopes::jsonb @> '["read","plan","start","decide","lease","decode","tokens"]' AND NOT t.scopes::jsonb ? 'audit';
