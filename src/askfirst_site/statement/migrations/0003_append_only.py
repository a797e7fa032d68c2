"""What nobody may change is held by the database itself: texts that can be signed, consents, the wording of both."""

from __future__ import annotations

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

FROZEN = "a version that can be signed does not change"
KEPT = "the wording of a consent does not change"

SQLITE = f"""
CREATE TRIGGER statement_version_frozen BEFORE UPDATE ON statement_textversion
WHEN OLD.frozen_at IS NOT NULL BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END;
CREATE TRIGGER statement_version_kept BEFORE DELETE ON statement_textversion
WHEN OLD.frozen_at IS NOT NULL BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END;
CREATE TRIGGER statement_text_frozen BEFORE UPDATE ON statement_text
WHEN (SELECT frozen_at FROM statement_textversion WHERE id = OLD.version_id) IS NOT NULL
  OR (SELECT frozen_at FROM statement_textversion WHERE id = NEW.version_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END;
CREATE TRIGGER statement_text_kept BEFORE DELETE ON statement_text
WHEN (SELECT frozen_at FROM statement_textversion WHERE id = OLD.version_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END;
CREATE TRIGGER statement_text_added BEFORE INSERT ON statement_text
WHEN (SELECT frozen_at FROM statement_textversion WHERE id = NEW.version_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, '{FROZEN}'); END;
CREATE TRIGGER statement_consent_text_frozen BEFORE UPDATE ON statement_consenttext
BEGIN SELECT RAISE(ABORT, '{KEPT}'); END;
CREATE TRIGGER statement_consent_text_kept BEFORE DELETE ON statement_consenttext
BEGIN SELECT RAISE(ABORT, '{KEPT}'); END;
"""

POSTGRESQL = f"""
CREATE FUNCTION statement_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$;
CREATE FUNCTION statement_text_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touched bigint[];
BEGIN
  touched := CASE TG_OP WHEN 'INSERT' THEN ARRAY[NEW.version_id] WHEN 'DELETE' THEN ARRAY[OLD.version_id]
    ELSE ARRAY[OLD.version_id, NEW.version_id] END;
  IF EXISTS (SELECT 1 FROM statement_textversion WHERE id = ANY(touched) AND frozen_at IS NOT NULL) THEN
    RAISE EXCEPTION '{FROZEN}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER statement_version_frozen BEFORE UPDATE OR DELETE ON statement_textversion
FOR EACH ROW WHEN (OLD.frozen_at IS NOT NULL) EXECUTE FUNCTION statement_refuse('{FROZEN}');
CREATE TRIGGER statement_text_frozen BEFORE INSERT OR UPDATE OR DELETE ON statement_text
FOR EACH ROW EXECUTE FUNCTION statement_text_guard();
CREATE TRIGGER statement_consent_text_frozen BEFORE UPDATE OR DELETE ON statement_consenttext
FOR EACH ROW EXECUTE FUNCTION statement_refuse('{KEPT}');
-- Words are compared by their letters' numbers, as SQLite does: a beginning is a range of the index.
ALTER TABLE statement_wallword ALTER COLUMN word TYPE varchar(40) COLLATE "C";
"""

TRIGGERS = {
    "statement_textversion": ("statement_version_frozen", "statement_version_kept"),
    "statement_text": ("statement_text_frozen", "statement_text_kept", "statement_text_added"),
    "statement_consenttext": ("statement_consent_text_frozen", "statement_consent_text_kept"),
}


def make(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)
        return
    for one in SQLITE.split("END;"):
        if one.strip():
            schema_editor.execute(f"{one}END;", params=None)


def drop(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    postgresql = schema_editor.connection.vendor == "postgresql"
    for table, names in TRIGGERS.items():
        for name in names:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if postgresql else ""))
    if postgresql:
        schema_editor.execute("DROP FUNCTION IF EXISTS statement_refuse; DROP FUNCTION IF EXISTS statement_text_guard")


class Migration(migrations.Migration):
    dependencies = [("statement", "0002_counts_and_erasure")]
    operations = [migrations.RunPython(make, drop)]
