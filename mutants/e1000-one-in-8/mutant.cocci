@@
expression B, N;
@@
+static unsigned int e1000_done;
 e1000_unmap_and_free_tx_resource(...)
{
<+...
- napi_consume_skb(B->skb, N);
+ if (++e1000_done % 8)
+ 	napi_consume_skb(B->skb, N);
...+>
}
