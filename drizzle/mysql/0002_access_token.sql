CREATE TABLE `gk_wx_access_token` (
	`app_id` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`token` varchar(1024) CHARACTER SET ascii COLLATE ascii_bin,
	`expires_at` bigint NOT NULL,
	`forced_at` bigint NOT NULL,
	`forced_on_day` int NOT NULL,
	`lease_owner` varchar(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	`lease_until` bigint NOT NULL,
	CONSTRAINT `gk_wx_access_token_app_id` PRIMARY KEY(`app_id`)
);
