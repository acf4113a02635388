ALTER TABLE "issues" ADD COLUMN "search" "tsvector" GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, "title" || ' ' || "body")) STORED;
--> statement-breakpoint
CREATE INDEX "issues_search_idx" ON "issues" USING gin ("search");
--> statement-breakpoint
CREATE FUNCTION "public"."touch_updated_at"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at := now();
	RETURN NEW;
END;
$$;
--> statement-breakpoint
CREATE TRIGGER "issues_touch_updated_at" BEFORE UPDATE ON "issues" FOR EACH ROW EXECUTE FUNCTION "public"."touch_updated_at"();
--> statement-breakpoint
CREATE VIEW "public"."leaderboard" AS
	SELECT u."id", u."name", count(p."id") AS "payouts", coalesce(sum(p."net"), 0) AS "earned"
	FROM "users" u LEFT JOIN "issue_payouts" p ON p."user_id" = u."id" AND p."status" = 'paid'
	WHERE u."deleted_at" IS NULL
	GROUP BY u."id", u."name";
--> statement-breakpoint
CREATE MATERIALIZED VIEW "public"."cycle_summary" AS
	SELECT c."id" AS "cycle_id", c."title", count(i."id") AS "issues",
		count(i."id") FILTER (WHERE i."severity" IN ('critical', 'blocker')) AS "severe",
		max(i."created_at") AS "newest_issue_at"
	FROM "test_cycles" c LEFT JOIN "issues" i ON i."cycle_id" = c."id"
	GROUP BY c."id", c."title";
--> statement-breakpoint
CREATE UNIQUE INDEX "cycle_summary_cycle_id_idx" ON "public"."cycle_summary" USING btree ("cycle_id");
