@@
identifier dev;
@@
ip_tunnel_xmit(...)
{
<+...
(
  dev->stats.collisions++;
|
  DEV_STATS_INC(dev, collisions);
)
- goto tx_error;
+ return;
...+>
}
