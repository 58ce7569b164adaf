-- What waits of one stream: asked whenever somebody is shown what another shares.
create index parked_stream_id_idx on work.parked (stream_id);
