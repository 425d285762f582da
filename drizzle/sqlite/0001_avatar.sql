CREATE TABLE `gk_wx_avatar` (
	`hash` blob PRIMARY KEY NOT NULL,
	`bytes` blob NOT NULL,
	`created_at` integer NOT NULL,
	CONSTRAINT "hash_width" CHECK(length("gk_wx_avatar"."hash") = 32)
);
