CREATE TABLE `gk_wx_access_token` (
	`app_id` text PRIMARY KEY NOT NULL,
	`token` text,
	`expires_at` integer NOT NULL,
	`forced_at` integer NOT NULL,
	`forced_on_day` integer NOT NULL,
	`lease_owner` text NOT NULL,
	`lease_until` integer NOT NULL,
	CONSTRAINT "app_id_width" CHECK(length("gk_wx_access_token"."app_id") <= 64),
	CONSTRAINT "token_width" CHECK(length("gk_wx_access_token"."token") <= 1024),
	CONSTRAINT "lease_owner_width" CHECK(length("gk_wx_access_token"."lease_owner") <= 64)
);
