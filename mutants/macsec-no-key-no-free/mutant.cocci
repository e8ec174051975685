@@
identifier secy, skb, dev;
@@
macsec_start_xmit(struct sk_buff *skb, struct net_device *dev)
{
<+...
  if (!secy->operational) {
- 	kfree_skb(skb);
  	...
  }
...+>
}
